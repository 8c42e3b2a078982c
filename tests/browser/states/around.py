"""Sign-in, my account, and the pages of errors."""

from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.states.core import letter, state


@state("")
def sign_in(desk: Desk) -> None:
    desk.goto("/")
    expect(desk.page.get_by_role("heading", name="Sign in")).to_be_visible()


@state("")
def wrong_password(desk: Desk) -> None:
    desk.sign_in("alice", "not the password")
    expect(desk.page.get_by_role("alert")).to_be_focused()


@state("")
def too_many_guesses(desk: Desk) -> None:
    for _ in range(6):
        desk.sign_in("mallory", "guess")
    expect(desk.page.get_by_role("alert")).to_contain_text("Too many failed login attempts")


@state()
def error_429(desk: Desk) -> None:
    for _ in range(6):
        desk.goto("/account/password/")
        with desk.page.expect_navigation():
            desk.page.locator("main form").evaluate("form => form.submit()")
    letter(desk)


@state()
def my_account(desk: Desk) -> None:
    desk.goto("/account/?saved=1")


@state("charlie")
def my_account_with_errors(desk: Desk) -> None:
    desk.goto("/account/")
    desk.page.locator("#id_day_ends").evaluate("el => { el.type = 'text'; el.value = 'late'; el.form.submit(); }")
    expect(desk.page.get_by_role("alert")).to_be_visible()


@state()
def change_password(desk: Desk) -> None:
    desk.goto("/account/password/")


@state()
def change_password_with_errors(desk: Desk) -> None:
    desk.goto("/account/password/")
    for label in ("Password now", "New password", "New password, again"):
        desk.page.get_by_label(label, exact=True).fill("short")
    desk.page.get_by_role("button", name="Change password").click()
    expect(desk.page.get_by_role("alert")).to_be_visible()


@state()
def error_400(desk: Desk) -> None:
    desk.goto("/sessions/?cursor=nonsense")


@state()
def error_403(desk: Desk) -> None:
    desk.goto("/audit/")


@state()
def error_403_of_an_old_form(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.page.context.clear_cookies(name="csrf")
    desk.send_whole()


@state()
def error_404(desk: Desk) -> None:
    desk.goto("/roles/nothere/")


@state()
def error_405(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/issue/")
