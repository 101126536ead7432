"""Files that people put into a dialog: what they are, and their bytes, read from Slack alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.domain.acts import Attachment
from bot.domain.errors import AskError, OurError

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

#: The most bytes of one file, and seconds to fetch it.
MOST_BYTES, FETCH_S = 8 * 1024 * 1024, 20.0


class Files:
    """Reads files with the bot's own token. Their addresses come from Slack's API, never from people."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._client = client
        self._session = session

    async def about(self, ids: Sequence[str]) -> tuple[Attachment, ...]:
        """What these files are. Raises AskError for one that Slack does not show us."""
        return tuple([_attachment(await self._info(each)) for each in ids])

    async def read(self, files: Sequence[Attachment]) -> dict[str, bytes]:
        """Their bytes by id. Raises OurError when Slack does not hand one over."""
        return {each.id: await self._bytes(each) for each in files}

    async def _info(self, file_id: str) -> dict[str, Any]:
        from slack_sdk.errors import SlackClientError

        try:
            answer = await self._client.api_call("files.info", params={"file": file_id})
        except (SlackClientError, OSError, TimeoutError) as error:
            log.warning("files.info: %s", error)
            raise AskError(
                "Slack does not show Rundown that file.",
                why="It was deleted, or the app may not read files (scope files:read).",
                fix="Add the file again.",
            ) from None
        found = answer.get("file")
        return found if isinstance(found, dict) else {}

    async def _bytes(self, file: Attachment) -> bytes:
        import aiohttp

        info = await self._info(file.id)
        address = str(info.get("url_private_download") or info.get("url_private") or "")
        if not self._is_slacks(address):
            raise _unread(file.name)
        timeout = aiohttp.ClientTimeout(total=FETCH_S)
        headers = {"Authorization": f"Bearer {self._client.token}"}
        try:
            async with self._session.get(address, headers=headers, allow_redirects=False, timeout=timeout) as answer:
                held = await answer.content.read(MOST_BYTES + 1)
                while len(held) <= MOST_BYTES and (more := await answer.content.read(MOST_BYTES + 1 - len(held))):
                    held += more
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("a file of Slack's: %s", type(error).__name__)
            raise _unread(file.name) from None
        told = int(str(info.get("size") or 0))
        if (
            answer.status != 200 or len(held) > MOST_BYTES or (told and told != len(held))
        ):  # a login page has another size
            raise _unread(file.name)
        return held

    def _is_slacks(self, address: str) -> bool:
        """Whether an address is one of Slack's: only there our token may go."""
        theirs, ours = urlsplit(address), urlsplit(self._client.base_url)
        host = theirs.hostname or ""
        if theirs.scheme == "https" and (host == "slack.com" or host.endswith((".slack.com", ".slack-gov.com"))):
            return True
        return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)


def _attachment(info: dict[str, Any]) -> Attachment:
    size = info.get("size")
    return Attachment(str(info.get("id", "")), str(info.get("name") or "file"), size if isinstance(size, int) else 0)


def _unread(name: str) -> OurError:
    return OurError(
        f"Rundown could not read the file {name} from Slack.",
        why=f"Slack did not hand it over, or it is over {MOST_BYTES // 1024**2} MiB.",
        fix="Add it again, or leave it out.",
    )
