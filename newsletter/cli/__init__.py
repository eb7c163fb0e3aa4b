"""The command line: `newsletter VERB`. Each module beside this one holds a group of verbs and is imported when one is called.

The table below says which module has which verb and what `newsletter --help` says about it, so that help costs no import
of the program itself. A module of verbs has `register(app: typer.Typer)`; a test holds table and modules together.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from newsletter import __version__
from newsletter.cli.failing import Options, exit_code_of

# module of newsletter.cli -> verb -> its line in `newsletter --help`
VERBS: Mapping[str, Mapping[str, str]] = {
    "demo": {"demo": "Try it all on a sample site, or on your files and URLs."},
    "setup": {
        "init": "Write the settings file, the data folder and the keys.",
        "migrate": "Bring the database to this version's schema.",
        "backup": "Copy the database and the keys, at any time.",
    },
    "dkim": {"dkim": "Make a DKIM key; print the DNS records to publish."},
    "doctor": {"doctor": "Check settings, database, designs, transport and sender."},
    "site": {
        "apply": "Bring sources, lists, newsletters to what a file says.",
        "dump": "Write sources, lists and newsletters as such a file.",
    },
    "sources": {"source": "Add, list, check, pause and resume sources."},
    "designs": {"design": "List, copy, check and preview designs."},
    "articles": {"article": "Add and list articles; release or drop held ones."},
    "people": {
        "list": "Create a list that people can join.",
        "subscribers": "Import, export, add, tag, show, erase people.",
        "staff": "Let somebody log in to the staff pages.",
    },
    "suppressing": {"suppression": "Say who must not be written to."},
    "attributes": {"attribute": "Declare what is known of people, with types."},
    "segments": {"segment": "Save, check and look at queries over people."},
    "stages": {
        "run": "Run all stages once: collect, summarise, …, deliver.",
        "serve": "Run everything at once: web, schedule, senders.",
        "collect": "Fetch the sources that are due.",
        "summarise": "Summarise new articles.",
        "schedule": "Open the issues that are due; show the coming ones.",
        "compose": "Choose articles and render the issues in draft.",
        "send": "Deliver now what is due.",
    },
    "issues": {
        "issues": "List the issues.",
        "issue": "Make an extra issue; write an intro.",
        "approve": "Approve an issue for exactly the content shown.",
        "back-to-draft": "Undo an approval: the issue is composed again.",
        "reject": "The same as back-to-draft.",
        "pause": "Stop the sending of an issue for now.",
        "resume": "Go on with a paused issue.",
        "cancel": "Give an issue up; who has not got it will not.",
        "resend-unknown": "Send again where nobody knows whether it arrived.",
        "retry-failed": "Try everybody again who failed.",
        "apart": "Say that an article is not the same story as others.",
    },
    "items": {"item": "Order, reword, pin, leave out, take in an issue's articles."},
    "wording": {"summary": "Edit, regenerate or revert a summary."},
    "previewing": {
        "preview": "Show an issue as a reader, or a mail program, would.",
        "clients": "List the mail programs that preview simulates.",
    },
    "returning": {"bounces": "Take in, read and list what comes back."},
    "pacing": {"pace": "Limits, slowed and stopped receivers; let one go on."},
    "hooking": {
        "webhook": "Tell other programs what happens here.",
        "api-token": "Let other programs use the API.",
    },
    "looking": {
        "preflight": "Check an issue as a strict receiver would.",
        "stats": "Numbers per issue.",
        "receipt": "What became of everybody, with the sum that closes.",
    },
    "why": {"why": "Why an article is in an issue, or a person got it."},
    "diffing": {"diff": "What differs between two issues or two versions."},
    "inspecting": {"inspect": "What the pipeline would make of a file."},
}

EPILOG = (
    "Exit codes: 0 done; 1 something is wrong (one line says what); 2 the command line is wrong; "
    "3 mail cannot leave now, nothing is lost; 4 there was nothing to do (compose, send, resend-unknown, retry-failed); "
    "130, 143 stopped by a signal."
)


class Verbs(TyperGroup):
    """Lists verbs from the table; imports the module of the one that is called; turns our errors into one line."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [verb for verbs in VERBS.values() for verb in verbs]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        line = next((verbs[cmd_name] for verbs in VERBS.values() if cmd_name in verbs), None)
        return None if line is None else TyperCommand(name=cmd_name, help=line)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        module = next((name for name, verbs in VERBS.items() if args and args[0] in verbs), None)
        if module is not None:
            self.commands.update(commands_of(module))
        else:  # Typer suggests a similar name from what it finds here
            self.commands.update({verb: self.get_command(ctx, verb) for verb in self.list_commands(ctx)})
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            code = exit_code_of(error)
            if code is None:
                raise
            raise typer.Exit(code) from error


def commands_of(module: str) -> dict[str, Any]:
    """The commands that a module of verbs registers, by name."""
    verbs = typer.Typer(rich_markup_mode=None)
    import_module(f"newsletter.cli.{module}").register(verbs)
    return dict(typer.main.get_group(verbs).commands)


app = typer.Typer(
    name="newsletter",
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,  # Rich's panels more than double the CPU time of --help: 0.5 s against 0.2 s
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The settings file (else NEWSLETTER_CONFIG, ./newsletter.toml)."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Collects articles, summarises them truly, lays them out as a digest, and delivers it exactly once to a list."""
    ctx.obj = Options(config=config)


def main() -> None:
    """The console script `newsletter`."""
    app(prog_name="newsletter")
