"""Copy every choice's source from its track, for co-saves."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery

SOURCES = [("demo", "Demo catalogue"), ("import", "Imported file"), ("spotify", "Somebody's Spotify")]


def copy_sources(apps, schema_editor):
    choices = apps.get_model("recommender", "Choice").objects
    tracks = apps.get_model("recommender", "Track").objects.filter(pk=OuterRef("track_id"))
    choices.update(source=Subquery(tracks.values("source")[:1]))


class Migration(migrations.Migration):

    dependencies = [
        ("recommender", "0015_library_import"),
    ]

    operations = [
        migrations.AddField(
            model_name="choice",
            name="source",
            field=models.CharField(choices=SOURCES, default="import", help_text="The track's, which never changes, so that co-saves needn't visit the tracks", max_length=10),
            preserve_default=False,
        ),
        migrations.RunPython(copy_sources, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="choice",
            constraint=models.CheckConstraint(condition=models.Q(("source__in", ["demo", "import", "spotify"])), name="choice_source_known"),
        ),
        migrations.AddIndex(
            model_name="choice",
            index=models.Index(condition=models.Q(("learns", True)), fields=["user", "-created_at", "id"], include=("track", "source"), name="choice_learned"),
        ),
    ]
