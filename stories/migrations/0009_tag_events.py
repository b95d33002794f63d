import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# An event goes only with its story, and its actor only with their account. What was read from faces
# is erased from it where somebody withdraws their consent, which has to announce itself first.
GUARD = """
CREATE FUNCTION guard_tag_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM stories_story WHERE id = OLD.story_id) THEN
            RETURN OLD;
        END IF;
    ELSIF to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        IF NEW.actor_id IS NULL
           AND NOT EXISTS (SELECT FROM accounts_user WHERE id = OLD.actor_id) THEN
            RETURN NEW;
        END IF;
    ELSIF current_setting('storify.erasing_faces', true) = 'on'
          AND to_jsonb(NEW) - 'before' - 'after' = to_jsonb(OLD) - 'before' - 'after'
          AND (NEW.before IS NULL OR NEW.before IS NOT DISTINCT FROM OLD.before)
          AND (NEW.after IS NULL OR NEW.after IS NOT DISTINCT FROM OLD.after) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'tag events are append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER tag_event_append_only BEFORE UPDATE OR DELETE ON stories_tagevent
    FOR EACH ROW EXECUTE FUNCTION guard_tag_event();

ALTER TABLE stories_tagevent
    ADD CONSTRAINT tag_event_story FOREIGN KEY (story_id)
        REFERENCES stories_story (id) ON DELETE CASCADE,
    ADD CONSTRAINT tag_event_actor FOREIGN KEY (actor_id)
        REFERENCES accounts_user (id) ON DELETE SET NULL;
"""
UNGUARD = """
ALTER TABLE stories_tagevent
    DROP CONSTRAINT tag_event_story, DROP CONSTRAINT tag_event_actor;
DROP TRIGGER tag_event_append_only ON stories_tagevent;
DROP FUNCTION guard_tag_event();
"""


def rename_permissions(apps, _schema_editor):
    """Whoever may see corrections may see tag events."""
    ours = apps.get_model('auth', 'Permission').objects.filter(content_type__app_label='stories')
    for action in ('add', 'change', 'delete', 'view'):
        name = f'{action}_tagevent'
        if not ours.filter(codename=name).exists():  # as after going back and forth
            ours.filter(codename=f'{action}_correction').update(
                codename=name, name=f'Can {action} tag event'
            )


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('stories', '0008_face_labels'),
    ]

    operations = [
        migrations.RemoveConstraint('correction', 'correction_kind_known'),
        migrations.RemoveIndex('correction', 'correction_log'),
        migrations.RenameModel('Correction', 'TagEvent'),
        migrations.RenameField('tagevent', 'user', 'actor'),
        migrations.RenameField('tagevent', 'kind', 'tag'),
        migrations.AlterField(
            'tagevent', 'tag', models.CharField(max_length=16),
        ),
        migrations.AddField(
            'tagevent', 'source',
            models.CharField(max_length=16, default='owner', choices=[
                ('model', 'a later analysis'), ('owner', 'the owner'),
                ('review', 'a review'), ('undo', 'an undone review'),
            ]),
            preserve_default=False,
        ),
        migrations.AlterField(
            'tagevent', 'story',
            models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING,
                related_name='tag_events', to='stories.story',
            ),
        ),
        migrations.AlterField(
            'tagevent', 'actor',
            models.ForeignKey(
                db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING,
                related_name='tag_events', to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            'tagevent', models.Index(fields=['story', '-created_at'], name='tag_event_log'),
        ),
        migrations.AddConstraint(
            'tagevent',
            models.CheckConstraint(
                condition=models.Q(source__in=['model', 'owner', 'review', 'undo']),
                name='tag_event_source_known',
            ),
        ),
        migrations.AddConstraint(
            'tagevent',
            models.CheckConstraint(
                condition=models.Q(
                    tag__regex=r'^(emotion|action|mood|face:\d+|missed_face|no_face|caption|quadrant)$'
                ),
                name='tag_event_tag_known',
            ),
        ),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
