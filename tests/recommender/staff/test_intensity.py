"""The staff page that shows how energy is distributed by intensity."""

import pytest
from django.test import Client

from recommender import services
from recommender.selectors import EnergyOfLevel
from recommender.staff import intensity_plots
from tests.factories import make_user
from tests.recommender.services.test_intensity import fill_catalogue

PAGE = "/staff/intensity/"


def test_plots_share_one_scale_and_stay_inside() -> None:
    classes = [
        EnergyOfLevel("low", [10, 0, 0, 0, 0], 0.1),
        EnergyOfLevel("medium", [0, 5, 5, 0, 0], 0.4),
        EnergyOfLevel("high", [0] * 5, 0.0),
    ]
    low, medium, high = intensity_plots.plots(classes)
    assert [round(c.height) for c in low.columns] == [100, 0, 0, 0, 0]
    assert [round(c.height) for c in medium.columns] == [0, 50, 50, 0, 0]
    assert [round(c.all_height) for c in low.columns] == [50, 25, 25, 0, 0]
    assert (low.share, high.n_tracks) == (0.5, 0)
    assert medium.table[1] == ("0.2 to 0.4", "50%")


@pytest.mark.django_db
def test_visitors_are_asked_to_sign_in(client: Client) -> None:
    answer = client.get(PAGE)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/accounts/sign-in/?next={PAGE}"


@pytest.mark.django_db
def test_people_who_are_not_staff_are_refused(client: Client) -> None:
    client.force_login(make_user())
    assert client.get(PAGE).status_code == 403


@pytest.mark.django_db
def test_staff_see_a_plot_per_intensity(client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    assert "too few tracks" in client.get(PAGE).content.decode()
    fill_catalogue()
    services.refit_intensity()
    html = client.get(PAGE).content.decode()
    assert html.count('<svg class="plot"') == 3
    assert "Acousticness" in html
    assert client.post(PAGE).status_code == 405


@pytest.mark.django_db
def test_the_old_address_redirects_for_good(client: Client) -> None:
    answer = client.get("/tracks/intensity/")
    assert (answer.status_code, answer.headers["Location"]) == (301, PAGE)
    assert client.post("/tracks/intensity/").status_code == 405
