# Time R surveillance on the series that bench/aberration.py writes to standard input: weeks in rows.
suppressMessages(library(surveillance))
counts <- as.matrix(read.csv(file("stdin"), header = FALSE))
surveyed <- sts(observed = counts, frequency = 52, start = c(2000, 1))
last <- (nrow(counts) - 48):nrow(counts)
few <- (nrow(counts) - 4):nrow(counts)
flexible <- function(b) function() suppressWarnings(farringtonFlexible(surveyed, control = list(
  range = few, b = b, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, pThresholdTrend = 1,
  weightsThreshold = 2.58, thresholdMethod = "nbPlugin", alpha = 0.01, glmWarnings = FALSE)))
methods <- list(
  "farringtonFlexible b=5" = list(few, flexible(5)),
  "farringtonFlexible b=3" = list(few, flexible(3)),
  "farrington b=5" = list(few, function() suppressWarnings(
    farrington(surveyed, control = list(range = few, b = 5, w = 3, alpha = 0.05), verbose = FALSE))),
  "cusum" = list(last, function() cusum(surveyed, control = list(range = last), verbose = FALSE)),
  "bayes" = list(last, function() bayes(surveyed, control = list(range = last))),
  "rki" = list(last, function() rki(surveyed, control = list(range = last), verbose = FALSE)))
for (name in names(methods)) {
  seconds <- replicate(3, { gc(FALSE); sum(system.time(capture.output(methods[[name]][[2]]()))[1:2]) })
  cat(sprintf("%s\t%.1f\n", name, length(methods[[name]][[1]]) * ncol(counts) / median(seconds)))
}
