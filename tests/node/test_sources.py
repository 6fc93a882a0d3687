"""Who a request is from: a named proxy is believed, up to what a client may have made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_node.errors import InvalidNodeConfig
from sayso_node.sources import MOST_HOPS, MOST_PROXIES, UNKNOWN, Proxies

PROXY, INNER, USER = "10.0.0.1", "192.168.7.7", "203.0.113.9"
NAMED = Proxies((PROXY, "192.168.0.0/16", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        (USER, USER),
        ("::ffff:203.0.113.9", USER),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (PROXY, PROXY),
        (None, UNKNOWN),
        ("", UNKNOWN),
        ("unix:", UNKNOWN),
    ],
)
def test_without_a_word_the_source_is_whoever_connects(peer: str | None, source: str) -> None:
    assert NAMED.source(peer) == source


@pytest.mark.parametrize(
    "peer", [USER, "127.0.0.1", "::1", "10.0.0.2", "2001:db8::1", "::ffff:127.0.0.1"]
)
def test_who_is_not_named_is_not_believed(peer: str) -> None:
    """Nor is the machine itself, where many proxies run."""
    assert NAMED.source(peer, ["9.9.9.9"], ["for=9.9.9.9"]) == NAMED.source(peer)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        (["203.0.113.9"], USER),
        (["1.1.1.1, 203.0.113.9"], USER),
        (
            ["1.1.1.1", "203.0.113.9"],
            USER,
        ),  # a header that the client sent, and one that the proxy added
        (["nonsense, 203.0.113.9"], USER),
        (["1.1.1.1, 203.0.113.9, 192.168.7.7"], USER),  # through two named proxies
        (["203.0.113.9 ,10.0.0.1"], USER),
        (["203.0.113.9:4711"], USER),
        (["[2001:db8:1:2::9]:4711"], "2001:db8:1:2::/64"),
        (["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        (["::ffff:203.0.113.9"], USER),
        # Nothing readable: all of these are the proxy.
        ([""], PROXY),
        (["203.0.113.9, "], PROXY),
        (["203.0.113.9, unknown"], PROXY),
        (["203.0.113.9, nonsense, 192.168.7.7"], PROXY),
        (["203.0.113.999"], PROXY),
        (["203.0.113.9:"], PROXY),
        (["3405803785"], PROXY),
        (["\uff10.0.0.0"], PROXY),
        (["192.168.7.7, 10.0.0.1"], PROXY),  # nobody but proxies
        ([USER + ", 192.168.7.7" * MOST_HOPS], PROXY),
    ],
)
def test_x_forwarded_for(said: list[str], source: str) -> None:
    assert NAMED.source(PROXY, said) == source


@pytest.mark.parametrize(
    ("said", "source"),
    [
        (["for=203.0.113.9"], USER),
        (['For="203.0.113.9:4711"'], USER),
        (["for=203.0.113.9:4711"], USER),
        (['for="[2001:db8:1:2::9]:4711";proto=https'], "2001:db8:1:2::/64"),
        (["for=1.1.1.1, for=203.0.113.9;by=10.0.0.1;proto=https"], USER),
        (["for=1.1.1.1", "proto=https ; for=203.0.113.9"], USER),
        (["for=203.0.113.9, for=192.168.7.7"], USER),
        (['for=1.1.1.1;x="\\", for=2.2.2.2" , for=203.0.113.9'], USER),
        # Not as in RFC 7239, or not a word about whom.
        ([""], PROXY),
        (["203.0.113.9"], PROXY),
        (["for=unknown"], PROXY),
        (["for=_hidden"], PROXY),
        (["proto=https"], PROXY),
        (["for=203.0.113.9;for=1.1.1.1"], PROXY),
        (["for=203.0.113.9;"], PROXY),
        (["for=203.0.113.9,"], PROXY),
        (['for="1.1.1.1', "for=203.0.113.9"], PROXY),  # a client's open quote swallows nothing
        (['for="1.1.1.1', 'for="203.0.113.9"'], PROXY),
        (['for=1.1.1.1;x="', 'for="[2001:db8::9]"'], PROXY),
        (["for = 203.0.113.9"], PROXY),
    ],
)
def test_forwarded(said: list[str], source: str) -> None:
    assert NAMED.source(PROXY, (), said) == source


@pytest.mark.parametrize(
    ("x_forwarded_for", "forwarded", "source"),
    [
        ([USER], [f"for={USER}"], USER),
        ([USER], ["for=1.1.1.1"], PROXY),  # a proxy passes on the header that it does not write
        (["1.1.1.1"], [f"for={USER}"], PROXY),
        ([USER], ["nonsense"], PROXY),
    ],
)
def test_both_headers(x_forwarded_for: list[str], forwarded: list[str], source: str) -> None:
    assert NAMED.source(PROXY, x_forwarded_for, forwarded) == source


@given(
    st.lists(st.text(max_size=60), max_size=4), st.lists(st.text(max_size=60), max_size=4), st.booleans()
)
def test_whatever_a_client_sends_before_it_changes_no_source_to_another_user(
    said: list[str], more: list[str], both: bool
) -> None:
    """At worst it counts as the proxy."""
    found = NAMED.source(PROXY, [*said, USER], [*more, f"for={USER}"] if both else ())
    assert found == USER or (both and found == PROXY)


@pytest.mark.parametrize("size", [8_000, 100_000])
def test_long_headers_take_one_look(size: int) -> None:
    for said in ('for="' + "\\a" * size, "for=1.1.1.1;" * size, "," * size, "a" * size, '"' * size):
        assert NAMED.source(PROXY, (), [said]) == PROXY
        assert NAMED.source(PROXY, [said]) == PROXY


@pytest.mark.parametrize(
    "named", ["", "proxy", "127.0.0.1:80", "10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/33", " 10.0.0.1"]
)
def test_a_proxy_is_an_address_or_a_network(named: str) -> None:
    with pytest.raises(InvalidNodeConfig):
        Proxies((named,))


def test_there_are_only_so_many_proxies() -> None:
    with pytest.raises(InvalidNodeConfig):
        Proxies(("10.0.0.1",) * (MOST_PROXIES + 1))
