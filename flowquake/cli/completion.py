"""``flowquake completion``."""

from __future__ import annotations

import click

from flowquake.cli.app import Command
from flowquake.cli.text import say


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, /, shell: str) -> None:
    """Print the set-up of command completion for a shell.

    \b
    bash:  flowquake completion bash >> ~/.bash_completion
    zsh:   flowquake completion zsh > "${fpath[1]}/_flowquake"
    fish:  flowquake completion fish > ~/.config/fish/completions/flowquake.fish
    """  # noqa: D301 - click knows a block that is not to be wrapped by this character
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    # Not BashComplete.source(): that starts bash to ask for its version.
    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    made = kinds[shell](ctx.find_root().command, {}, "flowquake", "_FLOWQUAKE_COMPLETE")
    say(made.source_template % made.source_vars())
