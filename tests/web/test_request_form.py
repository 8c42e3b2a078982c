"""What the request form says beside its fields."""

import pytest
from django.test import Client

from tests.support.cast import Catalogue


@pytest.mark.parametrize(
    ("address", "internal"),
    [("10.1.2.3", True), ("127.0.0.1", True), ("fd00::1", True), ("8.8.8.8", False), ("2600:1f18::1", False)],
)
def test_an_internal_address_comes_with_a_warning(
    alice: Client, catalogue: Catalogue, address: str, *, internal: bool
) -> None:
    page = alice.get(f"/roles/{catalogue.read_only.id}/", REMOTE_ADDR=address).content.decode()
    assert address in page
    assert ("is an internal address" in page) == internal
