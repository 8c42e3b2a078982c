"""Searching by words: each one has to occur somewhere, whatever its case."""

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from credportal.access.models import User

MOST_WORDS = 8

Row = TypeVar("Row", bound=Model)


def matching(rows: QuerySet[Row], query: str, *columns: str) -> QuerySet[Row]:
    """Keep the rows in which every word of the query occurs in some column; of a long query the first words count."""
    for word in query.split()[:MOST_WORDS]:
        anywhere = Q()
        for column in columns:
            anywhere |= Q((f"{column}__icontains", word))
        rows = rows.filter(anywhere)
    return rows


def people_matching(people: QuerySet[User], query: str) -> QuerySet[User]:
    """Keep the people in whom every word occurs: in user name, name, e-mail or the name of a group."""
    for word in query.split()[:MOST_WORDS]:
        inside = User.groups.through.objects.filter(group__name__icontains=word).values("user_id")
        anywhere = Q(username__icontains=word) | Q(name__icontains=word) | Q(email__icontains=word)
        people = people.filter(anywhere | Q(pk__in=inside))
    return people
