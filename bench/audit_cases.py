"""What an auditor looks for in the bench, as the parameters of the audit page."""

from __future__ import annotations

from typing import Any

from bench.audit_world import COMMON, MEDIUM, RARE, STANDING_TICKET, make_world

Query = dict[str, str]
WORLD = make_world()


def cases(there: dict[str, Any]) -> dict[str, Query]:
    """Return the pages that are compared between a large audit and a small one; both have a full page of each.

    Of the access key and the issuance both have the same few events. ``there`` is what a database has of its own.
    """
    person = WORLD.people[0]
    number, account, _, arn, role = person.roles[0].about
    return {
        "newest page": {},
        "a page in the middle": {"cursor": there["deep"]},
        "a page in the middle of a range": {"range": "90d", "cursor": there["deep_in_range"]},
        "person": {"person": person.handle},
        "role": {"role": role},
        "role by ARN": {"role": arn},
        "account": {"account": number},
        "account by name": {"account": account},
        "environment": {"environment": "production"},
        "outcome": {"outcome": "denied"},
        "kind": {"kind": "sign-in:succeeded"},
        "source": {"source": "approval"},
        "ticket": {"ticket": STANDING_TICKET},
        "address": {"address": person.addresses[0]},
        "access key": {"key": there["key"]},
        "issuance": {"issuance": there["issuance"]},
        "person + role": {"person": person.handle, "role": role},
    }


def rare_cases(there: dict[str, Any]) -> dict[str, Query]:
    """Return pages of things that come up seldom, or never: what misleads a planner of queries."""
    return {
        "somebody who acts seldom": {"person": WORLD.people[-1].handle},
        "somebody who is not there": {"person": "nobody"},
        "a break-glass": {"source": "break-glass"},
        "an unknown outcome": {"outcome": "unknown"},
        "a ticket of one week": {"ticket": there["ticket"]},
        "an address on the road": {"address": "198.18.7.7"},
        "a key that is not there": {"key": "ASIA0000000000000000"},
        "a role somebody never had": {"person": WORLD.people[0].handle, "role": WORLD.roles[-1].about[4]},
        "a kind that never was": {"kind": "group:added"},
    }


def words() -> dict[str, Query]:
    """Return free text: words that stand in many reasons, in some, in very few, in none."""
    texts = {"common": COMMON, "medium": MEDIUM, "rare": RARE, "none": "xyzzyplugh"}
    texts |= {f"the {place}th": WORLD.words[place - 1] for place in (4, 30, 300, 3000)}
    texts["common and rare"] = f"{COMMON} {RARE}"
    return {f"words: {name}": {"q": text} for name, text in texts.items()}
