"""Completion in bash, zsh and fish: the scripts, their installation, and the answers to them.

All three hand over the line up to the cursor and take `name<TAB>description` lines. A name is never evaluated:
bash assigns it, zsh and fish quote what they insert.
"""

import os
import re
from pathlib import Path
from typing import Any, ClassVar

from typer._click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

from cm.cli.terminal import safe
from cm.errors import UsageError
from cm.i18n import _

LINE = "CM_COMPLETE_LINE"
BREAKS = "CM_COMPLETE_BREAKS"
"""Signs at which bash begins a new word inside one of ours (`state:missed`)."""

BASH = """\
# bash completion of cm; written by `cm --show-completion`
_cm_completion() {
    local name told
    COMPREPLY=()
    while IFS=$'\\t' read -r name told; do
        [[ -n $name ]] || continue
        [[ $name == *[:=] ]] && compopt -o nospace 2>/dev/null
        [[ $name == *" "* ]] && compopt -o filenames 2>/dev/null
        COMPREPLY+=("$name")
    done < <(_CM_COMPLETE=complete_cm CM_COMPLETE_LINE="${COMP_LINE:0:COMP_POINT}" \\
        CM_COMPLETE_BREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
}
complete -o default -F _cm_completion cm
"""

ZSH = """\
#compdef cm
# zsh completion of cm; written by `cm --show-completion`
_cm_completion() {
    local -a words_before offers open_offers
    local name told
    words_before=("${(@)words[1,CURRENT-1]}")
    while IFS=$'\\t' read -r name told; do
        [[ -n $name ]] || continue
        if [[ $name == *[:=] ]]; then
            open_offers+=("${name//:/\\\\:}:$told")
        else
            offers+=("${name//:/\\\\:}:$told")
        fi
    done < <(_CM_COMPLETE=complete_cm CM_COMPLETE_LINE="${(j: :)words_before} $PREFIX" "${words[1]}" 2>/dev/null)
    if (( $#offers + $#open_offers == 0 )); then
        _files
        return
    fi
    (( $#offers )) && _describe -V 'cm' offers
    (( $#open_offers )) && _describe -V 'cm' open_offers -S ''
}
if [[ ${funcstack[1]} == _cm ]]; then
    _cm_completion "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
    compdef _cm_completion cm
fi
"""

FISH = """\
# fish completion of cm; written by `cm --show-completion`
function __cm_completion
    set -lx _CM_COMPLETE complete_cm
    set -lx CM_COMPLETE_LINE (commandline -cp | string collect)
    set -l offers (cm 2>/dev/null | string match -r '.+')
    if test (count $offers) -gt 0
        printf '%s\\n' $offers
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command cm --no-files --keep-order --arguments '(__cm_completion)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def script() -> tuple[str, str]:
    """The shell of $SHELL and its script. Raises UsageError for another shell."""
    shell = Path(os.environ.get("SHELL", "")).name
    if shell not in SCRIPTS:
        raise UsageError(
            _("There is no completion for the shell {name!r}.").format(name=shell),
            hint=_("Set SHELL for this command: SHELL=bash, zsh or fish."),
        )
    return shell, SCRIPTS[shell]


def install() -> tuple[Path, Path | None]:
    """Write the script of $SHELL into the person's home; gives its path, and the start file that reads it now."""
    shell, text = script()
    if shell == "fish":
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "fish" / "completions"
        return _written(folder / "cm.fish", text), None
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    path = _written(data / "cm" / f"completion.{shell}", text)
    start_file = Path.home() / f".{shell}rc"
    known = start_file.read_text(encoding="utf-8", errors="surrogateescape") if start_file.exists() else ""
    line = f"source '{path}'"
    if line not in known.splitlines():
        with start_file.open("a", encoding="utf-8") as file:
            file.write(f"{'' if not known or known.endswith(chr(10)) else chr(10)}{line}\n")
    return path, start_file


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


class _Answer(ShellComplete):
    """Answers the three scripts."""

    name: ClassVar[str] = "cm"
    source_template: ClassVar[str] = ""

    def source_vars(self) -> dict[str, Any]:
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        """The whole words behind `cm`, and the one that is being typed."""
        line = os.environ.get(LINE, "")
        words = split_arg_string(line)[1:]
        return (words[:-1], words[-1]) if words and not re.search(r"(?<!\\)\s$", line) else (words, "")

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.value}\t{safe(' '.join((item.help or '').split()))}"

    def complete(self) -> str:
        args, incomplete = self.get_completion_args()
        # of `--channel=fa` typer is asked for the value alone, the shells replace the whole word
        option = incomplete.partition("=")[0] + "=" if incomplete.startswith("-") and "=" in incomplete else ""
        cut = _kept_by_bash(incomplete)
        offers = [item for item in self.get_completions(args, incomplete) if item.type == "plain"]
        return "\n".join((option + self.format_completion(item))[cut:] for item in offers)


def _kept_by_bash(incomplete: str) -> int:
    """How many signs of the word bash keeps standing before what it asks for; 0 for other shells and quoted words."""
    breaks = os.environ.get(BREAKS, "")
    if not os.environ.get(LINE, "").endswith(incomplete):
        return 0
    return max((incomplete.rfind(sign) + 1 for sign in ":=" if sign in breaks), default=0)


def be_ready() -> None:
    """Have typer answer our scripts when it runs next."""
    add_completion_class(_Answer, "cm")
