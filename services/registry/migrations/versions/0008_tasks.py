"""The board of tasks; open return checks stand on it from the start."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE tasks (
            task_id uuid NOT NULL,
            kind text COLLATE "C" NOT NULL,
            subject_id uuid NOT NULL,
            household_id uuid,
            division_code text COLLATE "C" NOT NULL,
            opened_on date NOT NULL,
            due_on date,
            due_provisional boolean NOT NULL,
            closed_on date,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_tasks PRIMARY KEY (task_id),
            CONSTRAINT fk_tasks_household_id FOREIGN KEY (household_id)
                REFERENCES households (household_id)
        )"""
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_tasks_kind_subject_id ON tasks (kind, subject_id) "
        "WHERE closed_on IS NULL"
    )
    op.execute("CREATE INDEX ix_tasks_division_code ON tasks (division_code, due_on, task_id)")
    op.execute("CREATE INDEX ix_tasks_household_id ON tasks (household_id)")
    op.execute(
        "INSERT INTO tasks SELECT return_check_id, 'return_check', return_check_id, household_id, "
        "division_code, opened_on, due_on, due_provisional, NULL, recorded_at "
        "FROM return_checks WHERE outcome IS NULL"
    )
    protect_by_division("tasks")
    grant("registry", "tasks", api="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE tasks")
