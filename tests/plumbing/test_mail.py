"""Mail out, to a real server on loopback: taken, refused, away, and never in clear."""

import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from tests.plumbing.mail_house import MailHouse, open_house
from tests.system_tools import need_tool

from safeconduct.demo.stage import free_port
from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.plumbing.mail import Letter, MailServer, addresses, send

LETTER = Letter(
    sender="door@example.org",
    to=("anna@example.org", "boris@example.org"),
    subject="Kanał: regular notice",
    text="Nothing to say – as always.\n",
)


def server(
    house: MailHouse, *, tls: str = "none", user: str = "", password: str = ""
) -> MailServer:
    return MailServer(host="127.0.0.1", port=house.port, tls=tls, user=user, password=password)


def test_a_letter_arrives_whole_and_names_nothing_of_this_machine() -> None:
    with open_house() as house:
        send(server(house), LETTER)
    [letter] = house.letters
    payload = letter.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().splitlines() == LETTER.text.splitlines()
    assert house.to == [list(LETTER.to)]
    assert socket.gethostname() not in letter.as_string()
    assert house.heard == ["localhost"]


REFUSALS = {
    "for good": ("550 go away", RefusedError),
    "for now": ("451 later", UnavailableError),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_letter_that_is_refused_is_no_letter_sent(name: str) -> None:
    answer, error = REFUSALS[name]
    with open_house() as house:
        house.answer = answer
        with pytest.raises(error, match=r"SMTP status (550|451)") as caught:
            send(server(house), LETTER)
    assert "go away" not in caught.value.message, "what the server says is not repeated"


def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        send(MailServer(host="127.0.0.1", port=free_port(), tls="none"), LETTER)


def test_a_password_is_never_sent_in_clear() -> None:
    refused = pytest.raises(RefusedError, match="no password is sent without TLS")
    with open_house() as house, refused:
        send(server(house, user="door", password="secret"), LETTER)
    assert house.heard == []


def test_a_server_without_tls_gets_nothing_if_tls_was_asked_for() -> None:
    with open_house() as house, pytest.raises(RefusedError, match="no TLS"):
        send(server(house, tls="starttls"), LETTER)
    assert house.letters == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_tool("openssl", "openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return folder


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with open_house(tls_context=context) as house:
        with pytest.raises(RefusedError, match="none that can be trusted"):
            send(server(house, tls="starttls"), LETTER)
        trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        send(
            MailServer(host="127.0.0.1", port=house.port, tls="starttls", context=trusted),
            LETTER,
        )
    assert len(house.letters) == 1


BAD = [
    "",
    "anna",
    "anna@",
    "@example.org",
    "a b@example.org",
    "a@b@c",
    "a@b\nBcc: c@d",
    "a@b,c@d",
]


def test_what_would_break_a_header_is_no_address() -> None:
    assert addresses(BAD) == BAD
    assert addresses(["anna@example.org", "anna+door@example.org"]) == []
