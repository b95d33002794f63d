import pgvector.django.halfvec
from django.db import migrations


def forget_versions(apps, schema_editor):
    """Drop what is laid out the old way: it is trained and arranged again from the choices."""
    versions = apps.get_model("recommender", "FactorVersion").objects.all()
    with schema_editor.connection.cursor() as cursor:
        for pk in versions.values_list("pk", flat=True):
            cursor.execute(f"DROP TABLE IF EXISTS recommender_trackfactor_{pk:d}")
    versions.delete()


class Migration(migrations.Migration):
    dependencies = [("recommender", "0006_tuning")]

    operations = [
        migrations.RunPython(forget_versions, forget_versions),
        migrations.AlterField(
            model_name="trackfactor",
            name="vector",
            field=pgvector.django.halfvec.HalfVectorField(help_text="As engine.linear lays it out"),
        ),
    ]
