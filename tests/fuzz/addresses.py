"""Every address of the site and every parameter that it may read, collected from the code.

So new addresses and form fields are covered without changes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("accounts", "recommender", "stories", "storify_site")
_READ = re.compile(r"""(?:GET|POST|query_params|ask)\.get\(\s*"(\w+)""")
# What libraries read by themselves.
_LIBRARIES = ("lang", "version", "format", "script", "cursor", "state", "code", "error")
_ADMIN_QUERY = ("q", "o", "p", "e", "all", "_popup", "_to_field", "_changelist_filters", "_facets")
_ADMIN_FORM = ("action", "_selected_action", "select_across", "index", "post", "_save", "_popup")
_AUTOCOMPLETE = ("app_label", "model_name", "field_name", "term", "page")
_LOOKUPS = ("", "__exact", "__isnull", "__in", "__gte", "__lt")


@dataclass(frozen=True)
class Address:
    """A path with `%(name)s` for each parameter."""

    template: str

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"%\((\w+)\)s", self.template)

    @property
    def is_admin(self) -> bool:
        return self.template.startswith("/admin/")

    def query_names(self) -> list[str]:
        return _admin_query(self.template) if self.is_admin else _page_query()

    def form_names(self) -> list[str]:
        return _admin_form(self.template) if self.is_admin else _page_form()


@cache
def addresses() -> list[Address]:
    """The URLconf's paths, and one for each pattern that `normalize` doesn't support."""
    more = ("/sandbox/api/v1/audio-features", "/static/nothing.css", "/nothing/")
    return [Address(path) for path in sorted({*_walk(get_resolver(), "/"), *more})]


def _walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        for text, _ in normalize(pattern.pattern.regex.pattern):
            if isinstance(pattern, URLPattern):
                yield before + text
            else:
                yield from _walk(pattern, before + text)


@cache
def _page_query() -> list[str]:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return sorted({*_LIBRARIES, *(name for f in files for name in _READ.findall(f.read_text()))})


@cache
def _page_form() -> list[str]:
    return sorted({*_page_query(), *(name for form in _forms() for name in _fields(form))})


def _fields(form: type[forms.BaseForm]) -> list[str]:
    fields: dict[str, forms.Field] = getattr(form, "base_fields", {})
    return [*fields]


def _forms() -> list[Any]:
    """The site's own forms and those of django.contrib.auth."""
    found: list[Any] = [forms.Form, forms.ModelForm]
    for form in found:
        found += form.__subclasses__()
    return [form for form in found if hasattr(form, "base_fields")]


@cache
def _admin_query(template: str) -> list[str]:
    names = {*_ADMIN_QUERY, *_AUTOCOMPLETE}
    for site_admin in _admins(template):
        filters = [str(name) for name in site_admin.list_filter]
        names |= {name + lookup for name in [*filters, "id", "user"] for lookup in _LOOKUPS}
        if site_admin.date_hierarchy:
            names |= {f"{site_admin.date_hierarchy}__{part}" for part in ("year", "month", "day")}
    return sorted(names)


@cache
def _admin_form(template: str) -> list[str]:
    names = {*_ADMIN_FORM, "username", "password", "next", "old_password", "new_password1"}
    for site_admin in _admins(template):
        names |= {field.name for field in site_admin.opts.get_fields()}
    return sorted({*names, *(f"api_tokens-{end}" for end in _FORMSET)})


_FORMSET = ("TOTAL_FORMS", "INITIAL_FORMS", "0-id", "0-user", "0-DELETE")


def _admins(template: str) -> list[admin.ModelAdmin]:  # type: ignore[type-arg]
    return [
        site_admin
        for model, site_admin in admin.site._registry.items()
        if template.startswith(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
    ]
