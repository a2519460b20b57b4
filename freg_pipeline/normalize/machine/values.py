"""JSON's single values by the contract's kinds: whole numbers, booleans, dates, times, years.

Only the plain forms are understood here. Anything else is BAD, and its document is repaired or put
aside by slower code (``repair.py``), which knows the rest.
"""

from __future__ import annotations

from freg_pipeline.normalize.machine.memory import compiled, load_8

NO = -(2**63)  # the text is no such value; no plain value is so small
_MOST = 922337203685477580  # a tenth of the largest 64-bit number


@compiled
def is_whole_number(at: int, stop: int) -> bool:
    """Whether the text is ``-?\\d+`` without leading zeros, within 64 bits."""
    most = 7
    if at < stop and load_8(at) == 45:
        at += 1
        most = 8  # -2**63 is a number, 2**63 is none
    digits = stop - at
    if digits < 1 or digits > 19 or (digits > 1 and load_8(at) == 48):
        return False
    value = 0
    while at < stop:
        digit = load_8(at) - 48
        if digit < 0 or digit > 9 or value > _MOST or (value == _MOST and digit > most):
            return False
        value = value * 10 + digit
        at += 1
    return True


@compiled
def whole_number(at: int, stop: int) -> int:
    """The number that a text is, if :func:`is_whole_number` says that it is one."""
    negative = load_8(at) == 45
    if negative:
        at += 1
    value = 0
    while at < stop:
        value = value * 10 - (load_8(at) - 48)  # there is one negative number more
        at += 1
    return value if negative else -value


@compiled
def boolean(at: int, stop: int) -> int:
    """``true`` or ``false`` as 1 or 0."""
    if stop - at == 4 and load_8(at) == 116 and load_8(at + 1) == 114:
        return 1 if load_8(at + 2) == 117 and load_8(at + 3) == 101 else NO
    if stop - at == 5 and load_8(at) == 102 and load_8(at + 1) == 97 and load_8(at + 2) == 108:
        return 0 if load_8(at + 3) == 115 and load_8(at + 4) == 101 else NO
    return NO


@compiled
def _digits(at: int, count: int) -> int:
    """So many decimal digits; negative if one is none."""
    value = 0
    wrong = 0
    for index in range(count):
        digit = load_8(at + index) - 48
        wrong |= digit | (9 - digit)
        value = value * 10 + digit
    return value if wrong >= 0 else -1


@compiled
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; NO if there is no such day."""
    if year < 1 or month < 1 or month > 12 or day < 1 or day > 31:
        return NO
    if day > 28:
        if month == 2:
            leap = (year & 3) == 0 and (year % 100 != 0 or year % 400 == 0)
            if day > 29 or not leap:
                return NO
        elif day == 31 and (month == 4 or month == 6 or month == 9 or month == 11):
            return NO
    if month <= 2:
        year -= 1
        month += 12
    return (
        365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5
        + day - 719469
    )  # fmt: skip


@compiled
def _offset(at: int, stop: int) -> int:
    """Minutes east of Greenwich that ``Z`` or ``+01:00`` says; NO if it says none."""
    if stop - at == 1:
        return 0 if load_8(at) == 90 else NO
    if stop - at != 6 or load_8(at + 3) != 58:
        return NO
    hours, minutes = _digits(at + 1, 2), _digits(at + 4, 2)
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return NO
    sign = load_8(at)
    if sign == 43:
        return hours * 60 + minutes
    return -(hours * 60 + minutes) if sign == 45 else NO


@compiled
def date(at: int, stop: int) -> int:
    """``1999-12-31``, with or without an offset, as days since 1970."""
    if stop - at < 10 or load_8(at + 4) != 45 or load_8(at + 7) != 45:
        return NO
    if stop - at > 10 and _offset(at + 10, stop) == NO:
        return NO
    return _days(_digits(at, 4), _digits(at + 5, 2), _digits(at + 8, 2))


@compiled
def moment(at: int, stop: int) -> int:
    """``1999-12-31T23:59:59.123456+01:00`` as microseconds since 1970; finer digits are cut."""
    if stop - at < 20 or load_8(at + 10) != 84 or load_8(at + 13) != 58 or load_8(at + 16) != 58:
        return NO
    days = date(at, at + 10)
    hour, minute, second = _digits(at + 11, 2), _digits(at + 14, 2), _digits(at + 17, 2)
    if days == NO or hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return NO
    if second < 0 or second > 59:
        return NO
    at += 19
    fraction = 0
    if load_8(at) == 46:
        at += 1
        unit = 100_000
        first = at
        while at < stop:
            digit = load_8(at) - 48
            if digit < 0 or digit > 9:
                break
            fraction += digit * unit
            unit //= 10
            at += 1
        if at == first:
            return NO
    offset = _offset(at, stop)
    if offset == NO:
        return NO
    minutes = days * 1440 + hour * 60 + minute - offset
    return (minutes * 60 + second) * 1_000_000 + fraction


@compiled
def year(at: int, stop: int) -> int:
    """``1985`` or ``-0044``: up to four digits."""
    negative = at < stop and load_8(at) == 45
    if negative:
        at += 1
    if stop - at < 1 or stop - at > 4:
        return NO
    value = _digits(at, stop - at)
    if value < 0:
        return NO
    return -value if negative else value


@compiled
def _run_of_digits(at: int, stop: int) -> int:
    """The place after the digits that begin at ``at``."""
    while at < stop and 48 <= load_8(at) <= 57:
        at += 1
    return at


@compiled
def is_decimal(at: int, stop: int) -> bool:
    """Whether the text is ``-?\\d{1,28}(\\.\\d{1,10})?``, which any decimal column can hold."""
    if at < stop and load_8(at) == 45:
        at += 1
    after = _run_of_digits(at, stop)
    if after == at or after - at > 28:
        return False
    if after == stop:
        return True
    at = after + 1
    return load_8(after) == 46 and at < stop <= at + 10 and _run_of_digits(at, stop) == stop


@compiled
def is_float(at: int, stop: int) -> bool:
    """Whether the text is ``-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?``, or ``-?INF`` or ``NaN``."""
    if stop - at == 3 and load_8(at) == 78 and load_8(at + 1) == 97 and load_8(at + 2) == 78:
        return True
    if at < stop and load_8(at) == 45:
        at += 1
    if stop - at == 3 and load_8(at) == 73 and load_8(at + 1) == 78 and load_8(at + 2) == 70:
        return True
    after = _run_of_digits(at, stop)
    if after > at and after < stop and load_8(after) == 46:
        at = after + 1
        after = _run_of_digits(at, stop)
    if after > at and after < stop and load_8(after) | 32 == 101:
        at = after + 1
        if at < stop and (load_8(at) == 43 or load_8(at) == 45):
            at += 1
        after = _run_of_digits(at, stop)
    return after > at and after == stop
