"""Mutual-aid groups, their people and activities, and home-care centres."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (*_TABLES, *_INDEXES):
        op.execute(statement)
    for table, api in _GRANTS.items():
        # The worker reads: what charity holds is moved by officers alone.
        grant("relief", table, api=api, worker="SELECT")
        protect_by_division(table)


def downgrade() -> None:
    for table in reversed(_GRANTS):
        op.execute(f"DROP TABLE {table}")


_GRANTS = {
    "mutual_aid_groups": "SELECT, INSERT, UPDATE (dissolved_on)",
    "mutual_aid_members": "SELECT, INSERT, UPDATE (left_on)",
    "mutual_aid_activities": "SELECT, INSERT",
    "home_care_centres": "SELECT, INSERT, UPDATE (closed_on)",
}
"""What the api may do with each table, in the order in which they are made."""

_TABLES = (
    """
CREATE TABLE mutual_aid_groups (
    group_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    name text NOT NULL,
    founded_on date NOT NULL,
    dissolved_on date,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_mutual_aid_groups PRIMARY KEY (group_id),
    CONSTRAINT ck_mutual_aid_groups_ends_after_start CHECK (dissolved_on >= founded_on)
)""",
    """
CREATE TABLE mutual_aid_members (
    membership_id uuid NOT NULL,
    group_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    person_id uuid NOT NULL,
    role text COLLATE "C" NOT NULL,
    joined_on date NOT NULL,
    left_on date,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_mutual_aid_members PRIMARY KEY (membership_id),
    CONSTRAINT ck_mutual_aid_members_ends_after_start CHECK (left_on >= joined_on),
    CONSTRAINT fk_mutual_aid_members_group_id
        FOREIGN KEY (group_id) REFERENCES mutual_aid_groups (group_id)
)""",
    """
CREATE TABLE mutual_aid_activities (
    activity_id uuid NOT NULL,
    group_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    held_on date NOT NULL,
    kind text COLLATE "C" NOT NULL,
    person_ids uuid[] NOT NULL,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_mutual_aid_activities PRIMARY KEY (activity_id),
    CONSTRAINT fk_mutual_aid_activities_group_id
        FOREIGN KEY (group_id) REFERENCES mutual_aid_groups (group_id)
)""",
    """
CREATE TABLE home_care_centres (
    centre_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    name text NOT NULL,
    capacity integer NOT NULL,
    opened_on date NOT NULL,
    closed_on date,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_home_care_centres PRIMARY KEY (centre_id),
    CONSTRAINT ck_home_care_centres_capacity_positive CHECK (capacity > 0),
    CONSTRAINT ck_home_care_centres_ends_after_start CHECK (closed_on >= opened_on)
)""",
)

_INDEXES = (
    """CREATE INDEX ix_mutual_aid_groups_division
    ON mutual_aid_groups (division_code, group_id)""",
    "CREATE INDEX ix_mutual_aid_members_person ON mutual_aid_members (person_id)",
    """CREATE UNIQUE INDEX uq_mutual_aid_members_once
    ON mutual_aid_members (group_id, person_id, role)
    WHERE left_on IS NULL""",
    """CREATE UNIQUE INDEX uq_mutual_aid_members_one_leader
    ON mutual_aid_members (group_id)
    WHERE left_on IS NULL AND role = 'leader'""",
    """CREATE INDEX ix_mutual_aid_activities_group
    ON mutual_aid_activities (group_id, activity_id)""",
    """CREATE INDEX ix_home_care_centres_division
    ON home_care_centres (division_code, centre_id)""",
)
