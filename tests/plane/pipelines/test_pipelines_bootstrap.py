"""KFP's bootstrap of Python components: recognised to the letter, or run as it is written."""

from __future__ import annotations

import pytest

from fairlead_plane.pipelines.bootstrap import recognise

FIND_PIP = """
if ! [ -x "$(command -v pip)" ]; then
    python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip
fi

"""
VENV = """
export PIP_DISABLE_PIP_VERSION_CHECK=1
tmp=$(mktemp -d)
python3 -m venv "$tmp/venv" --system-site-packages
. "$tmp/venv/bin/activate"
"""
PIP = "python3 -m pip install --quiet --no-warn-script-location"
KFP = "'kfp==2.14.3' '--no-deps' 'typing-extensions>=3.7.4,<5; python_version<\"3.9\"'"
KFP_LINES = (
    "--no-deps kfp>=2.14.3,<3",
    '--no-deps typing-extensions>=3.7.4,<5; python_version<"3.9"',
)
PROGRAM = """\
program_path=$(mktemp -d)

printf "%s" "$0" > "$program_path/ephemeral_component.py"
_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main                         \
--component_module_path                         "$program_path/ephemeral_component.py"\
                         "$@"
""".replace("\\\n", "")
SOURCE = "\nimport kfp\n\ndef add(): return '$(HOME) {{$}}'\n"


def install(text: str) -> list[str]:
    """The first stage around some calls of pip."""
    stage = f'{FIND_PIP}PIP_DISABLE_PIP_VERSION_CHECK=1 {text} && "$0" "$@"\n'
    return ["sh", "-c", stage, "sh", "-ec", PROGRAM, SOURCE]


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        (f"{PIP} {KFP}", KFP_LINES),
        (f"python3 -m pip install --quiet     --no-warn-script-location {KFP}", KFP_LINES),
        (f"{PIP} 'a' 'b[x]>=1,<2'  &&  {PIP} {KFP}", ("a", "b[x]>=1,<2", *KFP_LINES)),
        (f"{PIP} {KFP}  &&  {PIP} 'pandas==2.2.0'", (*KFP_LINES, "pandas==2.2.0")),
        (f"{PIP} 'a'  &&  {VENV} {PIP} {KFP}", ("a", *KFP_LINES)),
        (f"{VENV} {PIP} {KFP}", KFP_LINES),
        (
            f"{PIP} --index-url https://i/simple --extra-index-url https://j --trusted-host i 'a'",
            (
                "--index-url https://i/simple",
                "--extra-index-url https://j",
                "--trusted-host i",
                "a",
            ),
        ),
        (f"{PIP} \"a; os_name=='posix'\"", ("a; os_name=='posix'",)),
    ],
)
def test_what_kfp_installs_becomes_lines_of_packages(text, packages):
    found = recognise(install(text))
    assert (found.packages, found.source) == (packages, SOURCE)


def test_a_python_program_after_the_install_starts_without_it():
    program = ["python3", "-c", "print(1)"]
    found = recognise([*install(f"{PIP} {KFP}")[:3], *program])
    assert (found.source, found.program) == ("", tuple(program))
    assert found.packages
    assert recognise(program) is None


def test_without_an_install_the_component_is_recognised_too():
    found = recognise(["sh", "-ec", PROGRAM, SOURCE])
    assert (found.packages, found.source) == ((), SOURCE)
    assert recognise(["python3", "-m", "kfp.dsl.executor_main"]).source == ""


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["echo", "hello"],
        ["sh", "-c", "echo hello", "sh", "-ec", PROGRAM, SOURCE],
        install(f"{PIP} '--pre' 'a'"),
        install(f"{PIP} 'git+https://g/a.git'"),
        install(f"{PIP} './wheels/a.whl'"),
        install(f"{PIP} 'a @ https://g/a.whl'"),
        install(f"{PIP} --index-url https://$USER@i 'a'"),
        install(f"{PIP} 'a' && rm -r x"),
        install(f"{PIP} 'a"),
        install("pip install a"),
        [*install(f"{PIP} {KFP}"), "more"],
        install(f"{PIP} {KFP}")[:3],
        [*install(f"{PIP} {KFP}")[:3], "sh", "-ec", f"{PROGRAM}\necho more", SOURCE],
        [*install(f"{PIP} {KFP}")[:3], "python3", "main.py"],
    ],
)
def test_whatever_is_not_known_to_the_letter_is_left_alone(command):
    assert recognise(command) is None
