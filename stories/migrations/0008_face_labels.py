from django.db import migrations

# The threshold of the emotion model that was shipped when labels began to be stored.
THRESHOLD = 0.526
BATCH = 500


def label_of(probabilities):
    top = max(probabilities, key=probabilities.get)
    return top if probabilities[top] >= THRESHOLD else "uncertain"


def store_labels(apps, _schema_editor):
    """Store the label that pages have shown so far beside each face's probabilities."""
    analyses = apps.get_model("stories", "Analysis").objects
    rows = analyses.exclude(faces=[]).values_list("pk", "faces")
    for pk, faces in rows.iterator(chunk_size=BATCH):
        labelled = [{"label": label_of(face["probabilities"]), **face} for face in faces]
        # Only if they are still there: consent may be withdrawn at the same moment.
        analyses.filter(pk=pk, faces=faces).update(faces=labelled)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('stories', '0007_photo_reviewers'),
    ]

    operations = [
        migrations.RunPython(store_labels, migrations.RunPython.noop),
    ]
