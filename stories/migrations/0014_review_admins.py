from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUP = 'Review administrators'
PERMISSIONS = ['review_tags', 'promote_models']


def make_group(apps, schema_editor):
    """The group for staff who review and decide which models serve; fill it in the admin."""
    # On a new database permissions would be made only after all migrations.
    config = apps.get_app_config('stories')
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    permissions = apps.get_model('auth', 'Permission').objects.filter(
        content_type__app_label='stories', codename__in=PERMISSIONS
    )
    group, _ = apps.get_model('auth', 'Group').objects.get_or_create(name=GROUP)
    group.permissions.add(*permissions)


def remove_group(apps, _schema_editor):
    apps.get_model('auth', 'Group').objects.filter(name=GROUP).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('stories', '0013_model_registry'),
    ]

    operations = [migrations.RunPython(make_group, remove_group)]
