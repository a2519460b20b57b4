"""Messages that are sent: over real HTTP and SMTP; what fails is told without its address."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from freg_pipeline.alerts.sending import Receivers
from freg_pipeline.errors import ConfigurationError
from freg_pipeline_tests.receivers import Mailbox, Webhook, mailbox, webhook

SECRET = "T0ken-that-nobody-may-see"
LINE = "land_batch of one failed (since 2026-11-26 08:15 UTC). Run_it_again. http://dagster/runs/1"


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as made:
        yield made


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


def receivers(*addresses: str) -> Receivers:
    return Receivers(SecretStr(" ".join(addresses)))


def test_a_webhook_and_a_mailbox_get_the_message(hook: Webhook, mail: Mailbox) -> None:
    told = receivers(
        f"http://127.0.0.1:{hook.port}/{SECRET}",
        f"mailto://127.0.0.1:{mail.port}?from=freg@example.no&to=drift@example.no&format=text",
    )
    sent = told.send("freg (produksjon): trouble", {1: LINE, 2: LINE})
    assert [(one.receiver, one.why) for one in sent] == [(1, ""), (2, "")]
    assert hook.lines == [LINE]
    assert hook.paths == [f"/{SECRET}"]
    (message,) = mail.got
    assert message["Subject"] == "freg (produksjon): trouble"
    assert message["To"] == "drift@example.no"
    body = message.get_body(("plain",))
    assert body is not None
    assert LINE in body.get_content()


def test_who_is_not_named_gets_nothing_and_each_gets_its_own(hook: Webhook) -> None:
    with webhook() as other:
        told = receivers(f"json://127.0.0.1:{hook.port}/a", f"json://127.0.0.1:{other.port}/b")
        told.send("t", {2: "second"})
        assert (hook.lines, other.lines) == ([], ["second"])
        told.send("t", {1: "mine", 2: "yours"})
        assert (hook.lines, other.lines) == (["mine"], ["second", "yours"])


@pytest.mark.parametrize("fault", ["refuses", "closed", "mail"])
def test_what_cannot_be_sent_says_so_and_never_tells_the_address(
    fault: str, hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.status = 403
    address = {
        "refuses": f"json://127.0.0.1:{hook.port}/hooks/{SECRET}?key=s3cr3t-in-a-query",
        "closed": f"json://user:s3cr3t-pass@127.0.0.1:1/hooks/{SECRET}",
        "mail": f"mailto://user:{SECRET}@127.0.0.1:1?from=a@example.no&to=b@example.no",
    }[fault]
    (sent,) = receivers(address).send("t", {1: LINE})
    assert sent.why
    assert "receiver 1 of FREG_ALERTS" in str(sent)
    shown = str(sent) + caplog.text
    assert SECRET not in shown
    assert "s3cr3t" not in shown


def test_libraries_may_log_again_once_it_is_sent(hook: Webhook) -> None:
    receivers(f"json://127.0.0.1:{hook.port}/x").send("t", {1: LINE})
    assert logging.getLogger("apprise").propagate
    assert logging.getLogger("urllib3").propagate


def test_an_address_of_nothing_is_told_by_its_number() -> None:
    with pytest.raises(ConfigurationError, match="receiver 2 of FREG_ALERTS") as wrong:
        receivers("json://127.0.0.1:1/x", f"nonsense://{SECRET}")
    assert SECRET not in str(wrong.value)


def test_without_the_library_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigurationError, match=r"freg_pipeline\[alerts\]"):
        receivers("json://127.0.0.1:1/x")
    assert len(Receivers(None)) == 0, "nobody is told: nothing is needed"
