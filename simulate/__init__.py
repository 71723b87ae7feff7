"""The Gaussian laboratory of section 4.2: data, imperfect teachers, students and Monte Carlo over (d, n, m, tau)."""
