# Write golden values of R surveillance::earsC for tests/conformance.
# Usage: Rscript tools/ears_golden.R [SERIES] > tests/conformance/golden/ears_surveillance.json
# Needs R with surveillance (Debian: r-cran-surveillance) and nothing else.
suppressMessages(library(surveillance))

arguments <- commandArgs(trailingOnly = TRUE)
n_series <- if (length(arguments)) as.integer(arguments[[1]]) else 6L
n_time <- 30L
settings <- expand.grid(method = c("C1", "C2", "C3"), baseline = c(3L, 7L, 14L), alpha = c(NA, 0.01),
                        stringsAsFactors = FALSE)

set.seed(1854)
one_series <- function(i) {
  if (i %% 6L == 0L) return(rep(i %/% 6L, n_time) + rbinom(n_time, 1L, 0.08))  # nearly constant
  rnbinom(n_time, mu = c(0.3, 2, 8, 60, 1e4)[(i - 1L) %% 5L + 1L], size = 2)
}
series <- lapply(seq_len(n_series), one_series)

number <- function(x) ifelse(is.na(x), "null", sprintf("%.17g", x))
vector <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")

evaluated <- function(counts, setting) {
  control <- list(method = setting$method, baseline = setting$baseline)
  if (!is.na(setting$alpha)) control$alpha <- setting$alpha
  result <- earsC(sts(observed = counts, frequency = 365, start = c(2026, 1)), control = control)
  sprintf(paste0('    {"series": %d, "method": "%s", "baseline": %d, "alpha": %s,\n',
                 '     "first": %d,\n     "upper": %s,\n     "alarm": %s}'),
          setting$series - 1L, setting$method, setting$baseline, number(setting$alpha),
          result@control$range[[1]] - 1L, vector(upperbound(result)[, 1]),
          vector(as.integer(alarms(result)[, 1])))
}

results <- character()
for (i in seq_len(n_series)) for (j in seq_len(nrow(settings))) {
  setting <- c(as.list(settings[j, ]), series = i)
  results <- c(results, evaluated(series[[i]], setting))
}
cat(sprintf(paste0('{\n  "generated_by": "Rscript tools/ears_golden.R %d",\n',
                   '  "call": "earsC(sts(observed = counts), control = list(method, baseline, alpha))",\n',
                   '  "surveillance": "%s",\n  "R": "%s",\n  "first_is": "0-based index of the first evaluated time",\n',
                   '  "series": [\n    %s\n  ],\n  "results": [\n%s\n  ]\n}\n'),
            n_series, packageVersion("surveillance"), getRversion(),
            paste(vapply(series, vector, ""), collapse = ",\n    "), paste(results, collapse = ",\n")))
