"""`kdshift empirical`: augment, shift, finetune, distill, sweep, status, table, tasks, reproduce, recommend."""

from __future__ import annotations

import cyclopts

app = cyclopts.App(name="empirical", help="Real text: augment, fine-tune, distil, sweep.")
EPILOGUES = {
    "sweep": "Table 2 on one GPU, or on all four of a machine: kdshift empirical sweep table2-mnli\n\n"
    "On a Ray cluster: kdshift empirical sweep table2-mnli --cluster auto\n\n"
    "On SLURM: kdshift empirical sweep table2-mnli --slurm slurm_partition=gpu gpus_per_node=1 timeout_min=600\n\n"
    "The same command goes on where it was. Ctrl-C once finishes the step and checkpoints, twice stops at once.",
}
for name, module, text in (
    ("augment", "augment", "Augment lines of text: lines in, lines out, changed tokens highlighted."),
    ("augmenters", "augment", "Every augmenter: what it does, needs, and what its degree counts."),
    ("showcase", "augment", "Every augmenter on one sentence, changed tokens marked."),
    ("masked-lm", "masked_language_model", "Give an encoder a masked-LM head, for contextual augmentation."),
    ("shift", "shift_and_cost", "The measured semantic shift of augmenters: degree on the theory's axis."),
    ("cost", "shift_and_cost", "Time per augmented example of every augmenter (the paper's Table 1, here)."),
    ("finetune", "distill", "Fine-tune one model on a task."),
    ("distill", "distill", "Distil one teacher into one student."),
    ("bank", "bank", "Augment a pool of texts and let the teacher answer it once, for curves and offline copies."),
    ("curves", "bank", "Error against degree by light students on a bank: gains, exchange rates."),
    ("equal-seconds", "augmenter_contest", "Every augmenter at its best degree, for the same seconds."),
    ("excess", "text_theory", "The calculated distance of ridge students on a bank: does it name the best degree?"),
    ("terms", "text_theory", "The theorem's three terms on text, per degree and data size, and how they rank degrees."),
    ("signals", "signals", "Degree without training: do the teacher's answers alone rank degrees?"),
    ("sweep", "sweep", "Run a grid of runs: a preset or a TOML file."),
    ("status", "sweep", "What of a sweep is done, running, failed and left."),
    ("table", "sweep", "A sweep's table beside the paper's, with intervals."),
    ("tasks", "sweep", "The known tasks and which are available here."),
    ("reproduce", "paper_protocol", "Every table and figure of the paper: preset, cost, where it may differ and why."),
    ("recommend", "advice", "Which degree for my data: one answer, from a pilot of light students on a bank."),
):
    app.command(
        f"kdshift.cli.{module}:{name.replace('-', '_')}", name=name, help=text, help_epilogue=EPILOGUES.get(name)
    )
