from django.db import migrations, models


def forget_versions(apps, schema_editor):
    """Drop what lacks the kinds of music: it is trained and arranged again from the choices."""
    versions = apps.get_model("recommender", "FactorVersion").objects.all()
    with schema_editor.connection.cursor() as cursor:
        for pk in versions.values_list("pk", flat=True):
            cursor.execute(f"DROP TABLE IF EXISTS recommender_trackfactor_{pk:d}")
    versions.delete()


class Migration(migrations.Migration):
    dependencies = [("recommender", "0008_ranking_weights")]

    operations = [
        migrations.RunPython(forget_versions, forget_versions),
        migrations.AddField(
            model_name="trackfactor",
            name="genre_code",
            field=models.SmallIntegerField(
                default=-1, help_text="As recommender.ranking.preference_filters numbers the families"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="trackfactor",
            name="language_code",
            field=models.SmallIntegerField(
                default=-1, help_text="As recommender.ranking.preference_filters numbers them"
            ),
            preserve_default=False,
        ),
    ]
