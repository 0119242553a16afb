#!/usr/bin/python3
"""Makes the filters that bubblewrap takes from the profile that Docker takes: compile.py [FOLDER].

Writes x64.bpf and arm64.bpf into FOLDER, or beside this file. Needs libseccomp for Python: apt-get install python3-seccomp,
and the Python it comes for, /usr/bin/python3. Run it after every change of profile.json, and commit what it wrote.
"""

import json
import pathlib
import sys

import seccomp

HERE = pathlib.Path(__file__).resolve().parent
ARCHITECTURES = {"x64": seccomp.Arch.X86_64, "arm64": seccomp.Arch.AARCH64}
ACTIONS = {"SCMP_ACT_ALLOW": lambda entry: seccomp.ALLOW, "SCMP_ACT_ERRNO": lambda entry: seccomp.ERRNO(entry["errnoRet"])}
BINARY_TREE = 2
OPTIMIZE = 8  # SCMP_FLTATR_CTL_OPTIMIZE, which the module does not name


def number_of(arch, name):
    """None where this processor has no such call. A name that libseccomp does not know at all is a mistake."""
    number = seccomp.resolve_syscall(seccomp.Arch(arch), name)
    if number == -1:
        sys.exit(f"{name} in profile.json is no system call that libseccomp knows: correct it, or leave it to the default.")
    return number if number >= 0 else None


def condition(arg):
    if arg["op"] == "SCMP_CMP_MASKED_EQ":
        return seccomp.Arg(arg["index"], seccomp.MASKED_EQ, arg["value"], arg["valueTwo"])
    return seccomp.Arg(arg["index"], {"SCMP_CMP_LE": seccomp.LE}[arg["op"]], arg["value"])


def compiled(profile, arch):
    default = seccomp.ERRNO(profile["defaultErrnoRet"])
    it = seccomp.SyscallFilter(default)
    # The calls of another processor, or of 32 bits, are not there; by default they would kill without a word.
    it.set_attr(seccomp.Attr.ACT_BADARCH, default)
    it.set_attr(OPTIMIZE, BINARY_TREE)
    if not it.exist_arch(arch):
        it.add_arch(arch)
        it.remove_arch(seccomp.Arch())
    for entry in profile["syscalls"]:
        if entry.get("errnoRet") == profile["defaultErrnoRet"]:
            continue  # libseccomp takes no rule for what holds anyway
        for name in entry["names"]:
            if number_of(arch, name) is not None:
                it.add_rule(ACTIONS[entry["action"]](entry), name, *map(condition, entry.get("args", [])))
    return it


profile = json.loads((HERE / "profile.json").read_text())
folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
for name, arch in ARCHITECTURES.items():
    with open(folder / f"{name}.bpf", "wb") as file:
        compiled(profile, arch).export_bpf(file)
