# Write golden values of R surveillance for tests/conformance.
# Usage: Rscript tools/aberration_golden.R > tests/conformance/golden/aberration_surveillance.json
# Needs R with surveillance (Debian: r-cran-surveillance) and nothing else.
suppressMessages(library(surveillance))

n_time <- 330L
week <- seq_len(n_time)
set.seed(1854)
series <- list(
  "sparse" = rpois(n_time, 0.05),
  "no case" = rep(0L, n_time),
  "seasonal, with zero seasons" = rnbinom(n_time, mu = exp(-4 + 5 * cos(2 * pi * week / 52)), size = 2),
  "rising" = rpois(n_time, exp(0.5 + 0.006 * week)),
  "large, with an outbreak" = rnbinom(n_time, mu = 20000 * exp(0.3 * sin(2 * pi * week / 52)), size = 40) +
    ifelse(week %in% 200:206, 60000L, 0L),
  "overdispersed" = rnbinom(n_time, mu = 6 + 3 * cos(2 * pi * week / 52), size = 1),
  "constant" = rep(4L, n_time)
)
evaluated <- 300:311
epoch <- seq(as.Date("2003-12-29"), by = "week", length.out = n_time)  # 2004 and 2009 have 53 weeks

flexible <- list(
  list(b = 5, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, pThresholdTrend = 1, weightsThreshold = 2.58,
       thresholdMethod = "nbPlugin", alpha = 0.01, limit54 = c(5, 4)),
  list(b = 3, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, pThresholdTrend = 1, weightsThreshold = 2.58,
       thresholdMethod = "muan", alpha = 0.05, limit54 = c(0, 4)),
  list(b = 4, w = 2, noPeriods = 1, pastWeeksNotIncluded = 3, pThresholdTrend = 0.05, weightsThreshold = 1,
       thresholdMethod = "delta", alpha = 0.001, limit54 = c(0, 1)),
  list(b = 2, w = 4, noPeriods = 6, pastWeeksNotIncluded = 10, pThresholdTrend = 0.05, weightsThreshold = 2.58,
       thresholdMethod = "nbPlugin", alpha = 0.01, limit54 = c(5, 4)))
original <- list(list(b = 5, w = 3, alpha = 0.05), list(b = 3, w = 4, alpha = 0.01),
                 list(b = 2, w = 2, alpha = 0.05, reweight = FALSE, trend = FALSE))
charts <- c(lapply(c("standard", "rossi", "anscombe", "anscombe2nd", "pearsonNegBin", "none"),
                   function(trans) list(k = 1.04, h = 2.26, trans = trans)),
            list(list(k = 0.5, h = 4, trans = "standard", m = "glm"), list(k = 0.8, h = 3, trans = "rossi", m = 5)))
predicted <- list(list(b = 0, w = 6, actY = TRUE, alpha = 0.05), list(b = 2, w = 3, actY = TRUE, alpha = 0.01),
                  list(b = 3, w = 2, actY = FALSE, alpha = 0.1))
limits <- list(list(b = 2, w = 4, actY = FALSE), list(b = 0, w = 6, actY = TRUE), list(b = 1, w = 6, actY = TRUE))

number <- function(x) ifelse(is.na(x), "null", ifelse(is.infinite(x), "null", sprintf("%.17g", x)))
vector <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")
value <- function(x) if (is.character(x)) paste0('"', x, '"') else if (is.logical(x)) tolower(x) else
  if (length(x) > 1) vector(x) else number(x)
object <- function(x) paste0("{", paste0('"', names(x), '": ', vapply(x, value, ""), collapse = ", "), "}")

result <- function(method, control, i, dated, answer) sprintf(
  '    {"method": "%s", "series": %d, "dated": %s, "control": %s,\n     %s}', method, i - 1L, tolower(dated),
  object(control), paste0('"', names(answer), '": ', vapply(answer, vector, ""), collapse = ",\n     "))

surveyed <- function(i, dated) if (dated) sts(observed = series[[i]], frequency = 52, epoch = epoch,
                                              epochAsDate = TRUE) else
  sts(observed = series[[i]], frequency = 52, start = c(2004, 1))

judged <- function(method, control, i, dated) {
  full <- c(list(range = evaluated), control)
  if (method == "farringtonFlexible") full$glmWarnings <- FALSE
  found <- suppressWarnings(switch(method,
    farringtonFlexible = farringtonFlexible(surveyed(i, dated), control = full),
    farrington = farrington(surveyed(i, dated), control = full, verbose = FALSE),
    cusum = cusum(surveyed(i, dated), control = full, verbose = FALSE),
    bayes = bayes(surveyed(i, dated), control = full),
    rki = rki(surveyed(i, dated), control = full, verbose = FALSE)))
  answer <- list(upper = upperbound(found)[, 1], alarm = as.numeric(alarms(found)[, 1]))
  if (method == "farringtonFlexible") answer <- c(answer, list(
    expected = found@control$expected[, 1], score = found@control$score[, 1],
    dispersion = found@control$phiVector[, 1]))
  if (method == "cusum") answer$score <- algo.cusum(sts2disProg(surveyed(i, dated)), control = full)$cusum
  result(method, control, i, dated, answer)
}

results <- character()
collect <- function(method, controls, dates = FALSE, which = seq_along(series))
  for (i in which) for (control in controls) for (dated in dates)
    results <<- c(results, judged(method, control, i, dated))
# What R says of a constant history is a matter of rounding; a chart standardises nothing after
# a history without a case.
collect("farringtonFlexible", flexible, c(FALSE, TRUE), which = 1:6)
collect("farrington", original, c(FALSE, TRUE), which = 1:6)
collect("cusum", charts, which = c(1, 3:6))
collect("bayes", predicted)
collect("rki", limits)
cat(sprintf(paste0('{\n  "generated_by": "Rscript tools/aberration_golden.R",\n',
                   '  "call": "METHOD(sts(observed), control = list(range = evaluated, CONTROL))",\n',
                   '  "surveillance": "%s",\n  "R": "%s",\n  "first": %d,\n  "last": %d,\n',
                   '  "first_is": "0-based index of the first evaluated time",\n  "epoch": "%s",\n',
                   '  "series": [\n    %s\n  ],\n  "results": [\n%s\n  ]\n}\n'),
            packageVersion("surveillance"), getRversion(), min(evaluated) - 1L, max(evaluated) - 1L, epoch[[1]],
            paste(vapply(series, vector, ""), collapse = ",\n    "), paste(results, collapse = ",\n")))
