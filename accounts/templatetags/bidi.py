"""`{{ words|isolate }}`: words from outside in an attribute or a title."""

from django import template
from django.template.defaultfilters import stringfilter

from accounts.web import bidi

register = template.Library()
register.filter("isolate", stringfilter(bidi.isolate), is_safe=True)
