"""Adds past activities to the diary."""

from __future__ import annotations

from harstream.forecast.client.diary import Diary
from harstream.forecast.past.records import Records


def store(records: Records, diary: Diary) -> int:
    """Add what the diary does not contain yet. Return the number of new activities."""
    added = 0
    for camera in records.cameras:
        added += diary.add(camera, [(each.id, each.episode) for each in records.episodes if each.camera == camera])
    known = {camera: set(diary.away(camera)) for camera in {each.camera for each in records.away}}
    for each in records.away:
        if each.away not in known[each.camera]:
            diary.add_away(each.camera, each.away)
    return added
