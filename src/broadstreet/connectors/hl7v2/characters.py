"""The character sets that MSH-18 can name, and how a message's bytes become text."""

from __future__ import annotations

from functools import lru_cache

from broadstreet.connectors.hl7v2.problems import ErrorCode, Malformed

# Source: HL7 table 0211, code system http://terminology.hl7.org/CodeSystem/v2-0211 (CC0). The codecs are
# supersets that senders really use under the name: CP949 for KS X 1001, CP950 for BIG-5.
STANDARD_NAMES = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    **{f"8859/{part}": f"iso8859_{part}" for part in (*range(1, 12), *range(13, 17))},
    "ISO IR14": "cp932",  # JIS X 0201: half-width katakana; single bytes agree with Shift_JIS
    "ISO IR87": "iso2022_jp_ext",  # JIS X 0208
    "ISO IR159": "iso2022_jp_ext",  # JIS X 0212
    "GB 18030-2000": "gb18030",
    "KS X 1001": "cp949",
    "BIG-5": "cp950",
    "UNICODE": "utf-8",  # withdrawn from the table in v2.7; senders mean UTF-8
    "UNICODE UTF-8": "utf-8",
}

# Names that are not in the table but that real interfaces send.
USUAL_NAMES = {
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "US-ASCII": "ascii",
    **{f"ISO-8859-{part}": f"iso8859_{part}" for part in (*range(1, 12), *range(13, 17))},
    **{f"ISO8859-{part}": f"iso8859_{part}" for part in (*range(1, 12), *range(13, 17))},
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
    "EUC-KR": "cp949",
    "KSC5601": "cp949",
    "KS_C_5601-1987": "cp949",
    "CP949": "cp949",
    "MS949": "cp949",
    "GB18030": "gb18030",
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "BIG5": "cp950",
    "SHIFT_JIS": "cp932",
    "SJIS": "cp932",
    "EUC-JP": "euc_jp",
    "ISO-2022-JP": "iso2022_jp_ext",
}

# In the table, but nothing reads them here: the reason is part of the refusal.
REFUSED_NAMES = {
    "UNICODE UTF-16": "its bytes collide with the frame of MLLP",
    "UNICODE UTF-32": "its bytes collide with the frame of MLLP",
    "CNS 11643-1992": "Python has no codec for it",
}


_LONGEST_NAMES = 500  # characters of MSH-18: what was stated is remembered


@lru_cache(maxsize=256)
def codec_of(stated: str) -> tuple[str, bool]:
    """Find the codec for MSH-18.

    Parameters
    ----------
    stated : the names in MSH-18; the first is the default, the others are those it may change to

    Returns
    -------
    Name of the Python codec: that of the first name that says more than ASCII. And whether each name is
    in HL7 table 0211.

    Raises
    ------
    Malformed
        At MSH-18, for a name that is unknown or cannot be read.
    """
    if len(stated) > _LONGEST_NAMES:
        raise _unreadable(stated)
    codecs = ["ascii"]
    standard = True
    for name in (part.strip().upper() for part in stated.split("~")):
        codec = STANDARD_NAMES.get(name) or USUAL_NAMES.get(name)
        if codec:
            codecs.append(codec)
            standard = standard and name in STANDARD_NAMES
        elif name:
            raise _unreadable(name)
    return next((codec for codec in codecs if codec != "ascii"), "ascii"), standard


def _unreadable(name: str) -> Malformed:
    why = REFUSED_NAMES.get(name, "it is not in HL7 table 0211")
    return Malformed(
        "MSH",
        1,
        18,
        f"character set {name[:40]!r} cannot be read: {why}; send UNICODE UTF-8",
        code=ErrorCode.TABLE_VALUE_NOT_FOUND,
    )


def decode(data: bytes, stated: str, fallback: str) -> tuple[str, str, tuple[str, ...]]:
    """Turn a message's bytes into text.

    Parameters
    ----------
    data : the message
    stated : MSH-18, or empty
    fallback : codec for a message that states no character set (or ASCII) and is not UTF-8

    Returns
    -------
    The text, the codec, and what was tolerated.

    Raises
    ------
    Malformed
        Where the bytes are not in the stated character set, with segment and field.
    """
    codec, standard = codec_of(stated) if stated else ("ascii", True)
    tolerated: tuple[str, ...] = () if standard else ("character set not in HL7 table 0211",)
    if codec != "ascii":
        return _decode_as(codec, data, stated), codec, tolerated
    if data.isascii():
        return data.decode("ascii"), "utf-8", tolerated
    kind = "other characters than the stated ASCII" if stated else "character set not stated"
    try:
        return data.decode("utf-8"), "utf-8", (*tolerated, kind)
    except UnicodeDecodeError:
        return (
            _decode_as(fallback, data, stated or "none"),
            fallback,
            (*tolerated, kind, "fallback character set"),
        )


def _decode_as(codec: str, data: bytes, stated: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        segment, sequence, field = _place(data, error.start)
        raise Malformed(
            segment,
            sequence,
            field,
            f"byte 0x{data[error.start]:02X} at offset {error.start} is not {codec} (MSH-18: {stated[:40]}); "
            "send the message in the character set that it states",
            code=ErrorCode.DATA_TYPE,
        ) from None


def _place(data: bytes, offset: int) -> tuple[str, int, int | None]:
    before = data[:offset].replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    *earlier, line = before.split(b"\r")
    name = line[:3].decode("latin-1")
    if not (len(name) == 3 and name.isalnum() and name.isascii()):
        return "MSH", 1, None
    sequence = 1 + sum(other.startswith(line[:3]) for other in earlier)
    separators = line.count(data[3:4])
    return name, sequence, (separators + (name == "MSH")) or None
