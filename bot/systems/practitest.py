"""How PractiTest speaks: API v2, JSON in pages of at most 100 rows, Basic with the token, 30 calls a minute.

`S` are its test sets; a set's tests are its instances, their results its "runs". Sources: the vendor's pages on runs,
sets, instances, step runs, milestones, groups and users, and its help page on run statuses. Habits met on the way:
- a set is never closed: it counts as finished once it has instances and each of them has a final result (neither
  NO RUN nor NOT COMPLETED), and then since its last run;
- a set's own status follows from its instances (PASSED or N/A: all done; NO RUN, NOT COMPLETED: some not; FAILED and
  BLOCKED may be either), so instances are read only where that leaves something open;
- calls are scarce, so a question reads a few pages only, and what it left out is said;
- nothing tells the order of its lists: newest first in all samples, checked on the first page;
- links and the API go by `id`, the pages show `display-id`;
- `links` in answers can repeat the token: they are never read, addresses are made here.
"""

from __future__ import annotations

import asyncio
import base64
import math
import re
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import batched if sys.version_info >= (3, 12) else chain
from typing import Annotated, Any, Generic, TypeVar
