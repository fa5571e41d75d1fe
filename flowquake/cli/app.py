"""The command ``flowquake``: its sub-commands, and how errors end it."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from flowquake._version import __version__
from flowquake.errors import FlowquakeError, PEError, suggest

# Each is imported only when it is asked for: name -> module, its help.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run a workflow."),
    "validate": ("graphs", "Check a workflow; every fault at once."),
    "graph": ("graphs", "Draw a workflow as Mermaid, DOT or SVG."),
    "plan": ("graphs", "Show how a workflow is laid out over workers."),
    "list": ("listing", "List processing elements, workflows and mappings."),
    "describe": ("describing", "Describe a processing element or a workflow."),
    "inspect": ("inspecting", "Say what a catalog file holds, and how to forecast from it."),
    "runs": ("runs", "List and show earlier runs."),
    "demo": ("demo", "Simulate a sequence of earthquakes and forecast its failure."),
    "dispel4py": ("dispel4py", "Run a workflow of dispel4py as it is."),
    "doctor": ("checkup", "Check this machine and this installation."),
    "new": ("new", "Make a package with an element or a workflow of your own."),
    "completion": ("completion", "Print the set-up of command completion for a shell."),
}


# A group without a command; older versions of click print the help themselves.
_HELP_WANTED: tuple[type[click.UsageError], ...] = tuple(
    filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)])
)


# What a rank for which another one speaks would have said.
last_words: list[str] = []

_KINDS: dict[type, str] = {dict: "table", list: "list"}


class Command(click.Command):
    """A command that takes --debug, and checks its table of flowquake.toml."""

    def __init__(self, *args: Any, **settings: Any) -> None:  # handed on to click
        super().__init__(*args, **settings)
        self.params.append(debug_option())

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Check the settings of flowquake.toml for this command, then read the arguments."""
        settings = (parent.lookup_default(info_name) if parent and info_name else None) or {}
        names = {parameter.name: parameter for parameter in self.params if parameter.name}
        for name in settings:
            if name not in names:
                raise click.UsageError(
                    f"flowquake.toml: [{info_name}] has no setting '{name}'"
                    + suggest(str(name), names)
                )
        # click converts text, as from the command line, and no other type.
        for name, value in settings.items():
            if isinstance(value, list) and getattr(names[name], "multiple", False):
                settings[name] = [str(one) for one in value]
            elif isinstance(value, (dict, list)):
                raise click.UsageError(
                    f"flowquake.toml: [{info_name}] {name} is a {_KINDS[type(value)]}, "
                    "not one value"
                )
            elif not isinstance(value, bool):
                settings[name] = str(value)
        return super().make_context(info_name, args, parent, **extra)


class Group(click.Group):
    """A group that suggests the nearest command."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which one may be meant."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            commands = self.list_commands(ctx)
            raise click.UsageError(
                f"there is no command '{name}'{suggest(name, commands)}\n"
                f"  Fix:   use one of: {', '.join(commands)}",
                ctx,
            )
        return super().resolve_command(ctx, args)


class LazyGroup(Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"flowquake.cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, f"{cmd_name}_command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a closed pipe ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would end with 1, which means that an element failed.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


def debug_option() -> click.Option:
    """Give the option --debug, which `invoke` looks for itself."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        envvar="FLOWQUAKE_DEBUG",
        help="Show the traceback of an error.",
    )


@click.group(
    cls=LazyGroup,
    params=[debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 an element failed, 2 usage or invalid workflow, 3 bad input, "
    "4 worker or broker lost, 5 done with rejected items, 130 interrupted.",
)
@click.version_option(__version__, message="flowquake %(version)s")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Streaming workflows for seismologists: from a catalog to a failure forecast.

    Start with `flowquake demo`, then `flowquake inspect FILE` with a catalog of
    your own.
    """
    from flowquake.cli.settings import command_defaults

    ctx.default_map = command_defaults()


def invoke(arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns
    -------
    int
        The exit code; errors are on standard error by now.
    """
    wanted = os.environ.get("FLOWQUAKE_DEBUG", "").strip().lower()
    debug = "--debug" in arguments or wanted in ("1", "on", "t", "true", "y", "yes")
    try:
        result = app.main(
            args=list(arguments), prog_name="flowquake", standalone_mode=False, obj=list(arguments)
        )
    except click.Abort:
        _print("Interrupted.")
        return 130
    except _HELP_WANTED as error:
        _print(error.format_message())
        return 2
    except click.ClickException as error:
        _show(error, error.format_message(), debug=debug, context=getattr(error, "ctx", None))
        return 2
    except FlowquakeError as error:
        _show(error, str(error), debug=debug)
        return error.exit_code
    except KeyboardInterrupt:
        _print("Interrupted.")
        return 130
    except OSError as error:
        where = f"{error.filename}: " if error.filename else "the output cannot be written: "
        _show(error, f"{where}{error.strerror or error}", debug=debug)
        _print("  Fix:   free space on the disk, or write elsewhere")
        return 1
    except Exception as error:  # noqa: BLE001 - the last place that can turn it into words
        _show(error, f"unexpected {type(error).__name__}: {error}", debug=debug, hint=True)
        return 1
    return result if isinstance(result, int) else 0


def _show(
    error: BaseException,
    message: str,
    *,
    debug: bool,
    hint: bool = False,
    context: click.Context | None = None,
) -> None:
    kind = "UsageError" if isinstance(error, click.ClickException) else type(error).__name__
    if is_follower():
        last_words.append(message if hint else f"{kind}: {message}")
        return
    if debug:
        traceback.print_exception(error)
    _print(message if hint else f"{kind}: {message}")
    line = _line_of_user(error)
    if line:
        _print(f"  Line:  {line}")
    if hint:
        _print("  Fix:   see the traceback with --debug, and report it if it is flowquake's")
    if isinstance(error, click.UsageError):
        command = context.command_path if context is not None else "flowquake"
        _print(f"  Help:  {command} --help")


def is_follower() -> bool:
    """Whether this process is an MPI rank for which another one speaks."""
    from flowquake.mappings.mpiexec import rank_in_environment

    return bool(rank_in_environment())


def _line_of_user(error: BaseException) -> str:
    """Name the line of an element of the user's own that an error came from."""
    if not isinstance(error, PEError) or error.__cause__ is None:
        return ""
    frames: list[traceback.FrameSummary] = getattr(error, "_frames", None) or list(
        traceback.extract_tb(error.__cause__.__traceback__)
    )
    own = Path(__file__).resolve().parents[1]
    engine = [n for n, frame in enumerate(frames) if Path(frame.filename).parent.name == "engine"]
    handler = frames[engine[-1] + 1 :] if engine else []
    between = (str(own), str(own / "compat" / "dispel4py"))
    while handler and str(Path(handler[0].filename).resolve().parent) in between:
        handler = handler[1:]  # what calls an @element function, or a PE of dispel4py
    if not handler or handler[0].filename.startswith((str(own), str(own.parent / "pes"))):
        return ""  # flowquake's own elements are no business of the user
    last = [frame for frame in handler if frame.filename == handler[0].filename][-1]
    return f"{last.filename}, line {last.lineno}: {last.line}"


def _print(text: str) -> None:
    from flowquake.cli.text import note

    note(text)
