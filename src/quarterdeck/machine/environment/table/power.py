"""Start, stop and debugging."""

from quarterdeck.machine.environment.kinds import FLAG, choice, whole
from quarterdeck.machine.environment.variable import Variable

VARIABLES = (
    Variable(name="SHUTDOWN", kind=FLAG, default="`Y`", what="`N` cuts the guest's power when the container is stopped."),
    Variable(
        name="TIMEOUT",
        kind=whole(0, 86400),
        default="`110`",
        what="Seconds that the guest gets to stop. Give the container ten more: `stop_grace_period: 2m`.",
    ),
    Variable(
        name="ON_POWEROFF",
        kind=choice("exit", "stop"),
        default="`exit`",
        what="When the guest powers itself off: `exit` ends the container with 0, `stop` keeps it, with the viewer's Start. "
        "Use `stop` with `restart: always`, which boots the guest again otherwise.",
        ours=True,
    ),
    Variable(name="DEBUG", kind=FLAG, default="`N`", what="Say each choice and the whole command at start."),
    Variable(name="TRACE", kind=FLAG, what="No shell runs that could be traced", instead="set DEBUG=Y", quiet=("n", "no", "off", "0")),
)
