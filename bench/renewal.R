# Time EpiEstim on the series that bench/renewal.py writes to standard input: days in rows.
suppressMessages({library(EpiEstim); options(warn = -1)})
incidence <- as.matrix(read.csv(file("stdin"), header = FALSE))
interval <- c(0, 0.233, 0.359, 0.198, 0.103, 0.053, 0.027, 0.014, 0.007, 0.003, 0.002, 0.001)
one <- function(column) suppressMessages(
  estimate_R(incidence[, column], method = "non_parametric_si", config = make_config(list(si_distr = interval))))
invisible(one(1))
seconds <- sum(system.time(for (column in seq_len(ncol(incidence))) one(column))[1:2])
cat(sprintf("%s\t%.9g\n", packageVersion("EpiEstim"), seconds / ncol(incidence)))
