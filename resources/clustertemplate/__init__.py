"""Cluster templates: kept, rendered, compared with their clusters and synced."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from omni_gateway.sdk.adapters import id_link
from resources.clustertemplate import drift, export, history, status, sync
from resources.clustertemplate.actions import delete, diff, render, validate
from resources.clustertemplate.actions import sync as sync_actions
from resources.clustertemplate.adapter import TEMPLATES
from resources.clustertemplate.schemas import EXAMPLE, ClusterTemplateSchema

plugin = ResourcePlugin(
    name="cluster-templates",
    group="Clusters",
    singular="cluster-template",
    schema=ClusterTemplateSchema,
    adapter=TEMPLATES,
    roles=READ_WRITE,
    links={"cluster": id_link("clusters"), "status": id_link("cluster-templates", "status")},
    documents=[history.HISTORY, history.VERSION, status.STATUS],
    actions=[
        validate.VALIDATE,
        validate.VALIDATE_SENT,
        render.RENDER,
        render.RENDER_SENT,
        diff.DIFF,
        diff.DIFF_SENT,
        sync_actions.SYNC,
        sync_actions.SYNC_SENT,
        delete.DELETE,
        delete.DELETE_SENT,
        status.STATUS_SENT,
    ],
    operations=[status.READY],
    tasks=[sync.FINISH, drift.FOLLOW],
    metrics=[drift.DRIFTED_TEMPLATES, drift.ENFORCED],
    extensions=[export.EXPORT],
    example=EXAMPLE,
    description="A cluster template is a whole cluster in one text: versions, machine sets, machines, patches. The"
    " gateway keeps it, with its history, in its own store; `actions/sync` makes the cluster what it says.",
    after_write="Nothing is written to Omni: `actions/diff` shows what a sync would do, `actions/sync` does it.",
    after_delete="Its cluster is not touched; `actions/delete-cluster` removes that.",
    import_name=__name__,
)
