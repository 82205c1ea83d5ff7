from __future__ import annotations

import pytest

from broadstreet.trust.categories import Sensitivity, categories, named
from broadstreet.trust.policy import NOTHING, Policy, Rule, standing
from broadstreet.trust.principals import Principal, Purpose, purposes, roles

KIM = Principal("kim", "person", frozenset({"clinician"}), organisation="org-1")
TREATMENT = Purpose("treatment")


def rule(**more: object) -> Rule:
    said = {
        "role": "clinician", "purpose": "treatment", "categories": named("clinical"), "scope": "organisation",
        "view": "full", "most": Sensitivity.NORMAL,
    }  # fmt: skip
    return Rule(**(said | more))  # type: ignore[arg-type]


def test_the_standing_policy_can_be_read_and_names_every_role_but_the_sender() -> None:
    assert {each.role for each in standing().rules} == roles() - {"sender"}
    assert {each.purpose for each in standing().rules} == set(purposes())


def test_a_role_sees_nothing_for_a_purpose_that_no_rule_names() -> None:
    assert standing().grants(KIM, Purpose("audit")) == NOTHING


def test_who_has_no_role_sees_nothing() -> None:
    nobody = Principal("nobody", "person")
    assert all(standing().grants(nobody, p) == NOTHING for p in (TREATMENT, Purpose("public-health")))


def test_a_sender_reads_nothing() -> None:
    sender = Principal("clinic-7", "client", frozenset({"sender"}))
    wanted = [Purpose(name, "i1" if about else "") for name, about in purposes().items()]
    assert all(standing().grants(sender, each) == NOTHING for each in wanted)


def test_rules_that_differ_only_in_their_category_become_one_grant() -> None:
    policy = Policy([rule(), rule(categories=named("laboratory"))])
    (grant,) = policy.grants(KIM, TREATMENT).grants
    assert grant.categories == named("clinical,laboratory")


def test_of_several_roles_those_count_that_show_the_most() -> None:
    weak = rule(role="laboratory", view="limited", scope="city")
    both = Principal("kim", "person", frozenset({"clinician", "laboratory"}))
    grants = Policy([rule(), weak]).grants(both, TREATMENT)
    assert grants.view == "full"
    assert [grant.scope for grant in grants.grants] == ["organisation"]


def test_one_role_with_two_views_for_a_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="has one view for the purpose treatment"):
        Policy([rule(), rule(view="limited")])


@pytest.mark.parametrize(
    "wrong", [{"role": "king"}, {"purpose": "fun"}, {"scope": "world"}, {"view": "x-ray"}]
)
def test_a_rule_with_an_unknown_word_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a rule of the policy says one of"):
        Policy([rule(**wrong)])


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(ValueError, match="got gossip"):
        named("clinical,gossip")


def test_numbers_of_categories_are_all_different_and_none_is_zero() -> None:
    numbers = [each.number for each in categories().values()]
    assert len(set(numbers)) == len(numbers)
    assert 0 not in numbers


def test_movements_are_granted_by_no_rule_of_the_city_alone() -> None:
    movement = categories()["movement"].number
    open_to = [r for r in standing().rules if movement in r.categories and r.scope == "city"]
    assert open_to == []


def test_an_investigation_is_named_and_other_purposes_name_none() -> None:
    with pytest.raises(ValueError, match="names its investigation"):
        Purpose("investigation")
    with pytest.raises(ValueError, match="about nothing in particular"):
        Purpose("treatment", "i1")
    with pytest.raises(ValueError, match="a purpose is one of"):
        Purpose("curiosity")


@pytest.mark.parametrize("name", ["", "Kim", "kim lee", "kım", "k" * 101, "-kim", "kim\n"])
def test_a_name_that_could_pass_for_another_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name has 1 to 100"):
        Principal(name, "person")
