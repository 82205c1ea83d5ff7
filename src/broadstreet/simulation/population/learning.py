"""Send children to nurseries and schools, and some of the young to colleges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.city import People
from broadstreet.simulation.population.configuration import Configuration
from broadstreet.simulation.population.kinds import Habit, Kind, Role
from broadstreet.simulation.population.plots import Plots

_RETIRED = 67  # state pension age in England, from 2028


class _Level(NamedTuple):
    first: int
    last: int
    share: float
    school: int  # pupils
    room: int  # pupils in a class


def send_to_school(
    configuration: Configuration, people: People, plots: Plots, draw: np.random.Generator
) -> NDArray[np.int64]:
    """Give pupils a school and a class with one teacher; return the people who are left to work.

    The pupils of a school live beside each other, and those of a class are of one age.
    """
    pupils = _Roll(configuration, people, plots, draw)
    sizes = configuration.school_size, configuration.class_size
    levels = (
        _Level(1, 4, configuration.preschool, max(20, sizes[0] // 4), max(4, sizes[1] // 4)),
        _Level(5, 10, 1.0, *sizes),
        _Level(11, 17, 1.0, 2 * sizes[0], sizes[1]),
        _Level(18, 22, configuration.college, 5 * sizes[0], 2 * sizes[1]),
    )
    for level in levels:
        pupils.enrol(level)
    return pupils.teach()


class _Roll:
    def __init__(
        self, configuration: Configuration, people: People, plots: Plots, draw: np.random.Generator
    ) -> None:
        self.configuration, self.people, self.plots, self.draw = configuration, people, plots, draw
        self.rooms: list[NDArray[np.uint32]] = []
        self.schools: list[NDArray[np.uint32]] = []
        self.near: list[NDArray[np.int64]] = []

    def enrol(self, level: _Level) -> None:
        age = self.people.age
        pupils = np.flatnonzero((age >= level.first) & (age <= level.last) & (self.people.role == Role.NONE))
        pupils = pupils[self.draw.random(len(pupils)) < level.share]
        if not len(pupils):
            return
        count = max(1, round(len(pupils) / level.school))
        school = np.arange(len(pupils)) * count // len(pupils)
        first = np.searchsorted(school, np.arange(count + 1))
        middle = pupils[(first[:-1] + first[1:]) // 2]
        schools = self.plots.add(Kind.SCHOOL, middle)
        order = np.lexsort((age[pupils], school))  # within a school by age
        rooms = np.maximum(1, np.ceil(np.diff(first) / level.room)).astype(np.int64)
        rank = np.arange(len(pupils)) - first[school]
        room = (np.cumsum(rooms) - rooms)[school] + rank * rooms[school] // np.diff(first)[school]
        parent = np.repeat(schools, rooms)
        classes = self.plots.add(Kind.CLASS, np.repeat(middle, rooms), parent)
        seated = pupils[order]
        self.people.main[seated] = classes[room]
        if level.first >= 5:  # the youngest eat in their room
            self.people.habits[seated, Habit.SCHOOL] = schools[school]
        self.people.role[seated] = Role.PUPIL
        self.rooms.append(classes)
        self.schools.append(parent)
        self.near.append(np.repeat(middle, rooms))

    def teach(self) -> NDArray[np.int64]:
        people = self.people
        able = (people.age >= 18) & (people.age < _RETIRED) & (people.role == Role.NONE)
        workers = np.flatnonzero(able)
        workers = workers[self.draw.random(len(workers)) < self.configuration.employed]
        if not self.rooms:
            return workers
        rooms = np.concatenate(self.rooms)[: len(workers) // 2]
        schools, near = np.concatenate(self.schools)[: len(rooms)], np.concatenate(self.near)[: len(rooms)]
        chosen = np.sort(self.draw.choice(len(workers), len(rooms), replace=False))
        teachers = workers[chosen]
        order = np.argsort(near, kind="stable")  # who lives along the curve teaches along the curve
        people.main[teachers] = rooms[order]
        people.habits[teachers, Habit.SCHOOL] = schools[order]
        people.role[teachers] = Role.TEACHER
        return np.delete(workers, chosen)
