"""The command line: `kdshift theory | simulate | empirical | compare | report | demo`.

Verbs live in one module a package and are imported when they are called, so that `--help` and `theory` stay fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import cyclopts

from theory.errors import InputError

app = cyclopts.App(
    name="kdshift",
    help="How far to shift augmented text in knowledge distillation: theorem, simulation and real runs side by side.",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
)
app.command("kdshift.cli.theory:app", name="theory", help="Theorem 1 as printed, its audit, and the one that holds.")
app.command("kdshift.cli.simulate:app", name="simulate", help="The Gaussian mixture and its Monte Carlo.")
app.command("kdshift.cli.empirical:app", name="empirical", help="Real text: augment, fine-tune, distil, sweep.")
app.command(
    "kdshift.cli.fit:fit", name="fit", help="Your own texts: baselines, teacher, the degree that pays, a student."
)
app.command(
    "kdshift.cli.predict:predict", name="predict", help="Labels and probabilities from a student that fit made."
)
app.command("kdshift.cli.predict:export", name="export", help="The same student as ONNX (fp32, int8).")
app.command("kdshift.cli.ladder:ladder", name="ladder", help="From the theorem's Gaussian to text, one change a rung.")
app.command(
    "kdshift.cli.compare:compare", name="compare", help="Score every claim on theory, simulation, text and the paper."
)
app.command("kdshift.cli.compare:report", name="report", help="Execute the notebooks on your results and write HTML.")
app.command("kdshift.cli.compare:cite", name="cite", help="BibTeX of the paper, this tool and what your results used.")
app.command("kdshift.cli.compare:demo", name="demo", help="Everything, small and real, on the embedded default.")


def one_line(error: BaseException) -> str:
    """The message of a user's mistake on one line."""
    return " ".join(str(error).split())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 on success, 2 on bad input with one line on standard error, 130 on Ctrl-C."""
    try:
        app(list(sys.argv[1:] if arguments is None else arguments), exit_on_error=False, print_error=False)
    except (cyclopts.CycloptsError, InputError) as error:
        # What reads a list option raises InputError, which cyclopts wraps.
        mistake = error.__cause__ if isinstance(error.__cause__, InputError) else error
        sys.stderr.write(f"kdshift: {one_line(mistake)}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("kdshift: interrupted; run the same command again to go on\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
