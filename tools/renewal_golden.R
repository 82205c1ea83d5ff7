# Write golden values of EpiEstim for tests/conformance.
# Usage: Rscript tools/renewal_golden.R > tests/conformance/golden/renewal_epiestim.json
# Needs R with EpiEstim (Debian: r-cran-epiestim) and nothing else.
suppressMessages({library(EpiEstim); options(warn = -1)})

number <- function(x) ifelse(is.na(x), "null", sprintf("%.17g", x))
vector <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")
quietly <- function(expression) suppressMessages(suppressWarnings(expression))

set.seed(1854)
intervals <- list(short = c(0, 0.2, 0.5, 0.2, 0.1), long = discr_si(0:60, 12, 5))
series <- list(growing = rpois(40, exp((0:39) / 9)), sparse = rbinom(40, 2, 0.15), large = rpois(40, 1e6),
               short = c(2, 0, 0, 1, 3, 5, 4, 6, 9, 11))
imported <- lapply(series, function(incidence) rbinom(length(incidence), incidence, 0.2))

estimated <- function(name, method, given, window, prior, with_imported) {
  incidence <- series[[name]]
  last <- length(incidence)
  control <- c(list(t_start = 2:(last - window + 1), t_end = (window + 1):last, mean_prior = prior[[1]],
                    std_prior = prior[[2]]), given)
  if (with_imported) {
    elsewhere <- imported[[name]]
    elsewhere[[1]] <- incidence[[1]]
    incidence <- data.frame(local = incidence - elsewhere, imported = elsewhere)
  }
  found <- quietly(estimate_R(incidence, method = method, config = make_config(control)))$R
  sprintf(paste0('    {"series": "%s", "serial_interval": %s, "window": %d, "prior": %s, "imported": %s,\n',
                 '     "mean": %s,\n     "sd": %s,\n     "q025": %s,\n     "q95": %s}'),
          name, vector(unlist(given)), window, vector(prior), tolower(with_imported),
          vector(found$`Mean(R)`), vector(found$`Std(R)`), vector(found$`Quantile.0.025(R)`),
          vector(found$`Quantile.0.95(R)`))
}

cohort <- function(name, interval) {
  last <- length(series[[name]])
  found <- quietly(wallinga_teunis(series[[name]], method = "non_parametric_si", config = list(
    t_start = 2:(last - 6), t_end = 8:last, si_distr = intervals[[interval]], n_sim = 1000)))$R
  sprintf(paste0('    {"series": "%s", "serial_interval": %s, "start": %s,\n     "mean": %s,\n     "simulated_sd": %s}'),
          name, vector(intervals[[interval]]), vector(found$t_start - 1), vector(found$`Mean(R)`),
          vector(found$`Std(R)`))
}

results <- character()
for (name in names(series)) for (with_imported in c(FALSE, TRUE)) for (window in c(1L, 7L)) {
  for (interval in intervals) results <- c(results, estimated(name, "non_parametric_si",
    list(si_distr = interval), window, c(5, 5), with_imported))
  results <- c(results, estimated(name, "parametric_si", list(mean_si = 8.4, std_si = 3.8), window, c(2.6, 2),
                                  with_imported))
}
cohorts <- character()
for (name in c("growing", "sparse", "short")) for (interval in names(intervals))
  cohorts <- c(cohorts, cohort(name, interval))
discretised <- vapply(list(c(2.6, 1.5), c(1.2, 3), c(15.3, 9.3), c(1.01, 0.1)), function(moments)
  sprintf('    {"mean": %s, "sd": %s, "probabilities": %s}', number(moments[[1]]), number(moments[[2]]),
          vector(discr_si(0:40, moments[[1]], moments[[2]]))), "")
named <- function(values) paste(sprintf('    "%s": %s', names(values), vapply(values, vector, "")), collapse = ",\n")
listed <- function(values) paste(values, collapse = ",\n")
cat(sprintf(paste0('{\n  "generated_by": "Rscript tools/renewal_golden.R",\n  "EpiEstim": "%s",\n  "R": "%s",\n',
                   '  "calls": ["estimate_R", "wallinga_teunis", "discr_si(0:40, mean, sd)"],\n',
                   '  "start_is": "0-based index of the first time of a window; windows without a case are left out",\n',
                   '  "series": {\n%s\n  },\n  "imported": {\n%s\n  },\n  "estimate_R": [\n%s\n  ],\n',
                   '  "wallinga_teunis": [\n%s\n  ],\n  "discr_si": [\n%s\n  ]\n}\n'),
            packageVersion("EpiEstim"), getRversion(), named(series), named(imported), listed(results), listed(cohorts),
            listed(discretised)))
