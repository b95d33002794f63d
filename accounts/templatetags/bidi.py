"""Template filter `isolate`, for user-supplied text in attributes and titles."""

from django import template
from django.template.defaultfilters import stringfilter

from accounts.web import bidi

register = template.Library()
register.filter("isolate", stringfilter(bidi.isolate), is_safe=True)
