"""The jobs that write the company of its reporter on each issue (C4, C5), and that read the issues there are."""
