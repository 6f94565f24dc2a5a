"""PostgreSQL's side of the run database: how it is reached, and which of its errors pass by themselves."""

from __future__ import annotations

from typing import Any

TIMEOUT_S = 5
_DEAD_AFTER_S = 20
CONNECT_ARGS: dict[str, Any] = {
    "connect_timeout": TIMEOUT_S,
    # a server whose machine is gone says nothing at all, and a connection to it would wait for hours
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 1000 * _DEAD_AFTER_S,
    # who waits for a row is told after the same time as with SQLite; who is frozen holds none for ever
    "options": f"-c lock_timeout={TIMEOUT_S}s -c idle_in_transaction_session_timeout=30s",
}
# classes of SQLSTATE: connection exceptions, operator intervention (shutdown, crash, starting up)
_AWAY_STATES = ("08", "57P")
# before a session has begun there is no SQLSTATE, only words: here those of a refusal that time does not heal
_REFUSED_WORDS = (
    "authentication", "password", "does not exist", "pg_hba.conf", "not permitted", "permission denied",
    "certificate", "support ssl", "gssapi", "invalid", "unsupported",
)  # fmt: skip
# lock not available, deadlock detected, serialization failure
_BUSY_STATES = ("55P03", "40P01", "40001")


def is_away(error: BaseException) -> bool:
    """Whether the server does not answer now, and may again: it is down, starting, or out of reach.

    A connection that breaks or is not made counts, whatever the words of this version of the server and of
    the system's network, unless they say that this user or database is refused.
    """
    state = str(getattr(error, "sqlstate", None) or "")
    if state:
        return state.startswith(_AWAY_STATES)
    said = str(error).lower()
    return _is_operational(error) and not any(words in said for words in _REFUSED_WORDS)


def is_busy(error: BaseException) -> bool:
    """Whether another transaction was in the way: the same one may work later."""
    return getattr(error, "sqlstate", None) in _BUSY_STATES


def _is_operational(error: BaseException) -> bool:
    """Told by name, so that nobody without PostgreSQL has to have its driver."""
    return any(one.__name__ in ("OperationalError", "InterfaceError") for one in type(error).__mro__)
