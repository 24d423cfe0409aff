/** Projects: what keys are grouped by. */
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useCreateProject, useMay, useProjects, useChangeProject } from "@/api/orgs";
import type { Project } from "@/api/types";
import { Button } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Dialog } from "@/parts/dialog";
import { Input, Switch } from "@/parts/field";
import { Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Empty, ErrorNote } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Table, type Column } from "@/parts/table";

export function ProjectsPage() {
  const { t } = useTranslation();
  const projects = useProjects();
  const may = useMay("projects.write");
  const create = useCreateProject();
  const change = useChangeProject();
  const [open, setOpen] = useState<"create" | Project | null>(null);
  const newButton = may && (
    <Button kind="primary" onClick={() => setOpen("create")}>
      <Icon name="plus" className="size-3.5" />
      {t("projects.create")}
    </Button>
  );
  const columns: Column<Project>[] = [
    { id: "name", title: t("projects.name"), cell: (project) => <span className="font-medium">{project.name}</span> },
    { id: "id", title: "ID", cell: (project) => <Copyable value={project.id} /> },
    { id: "created", title: t("keys.created_at"), cell: (project) => <Time ms={project.created_ms} ago /> },
    {
      id: "stores",
      title: t("projects.stores"),
      cell: (project) => t(project.stores_responses ? "projects.yes" : "projects.no"),
    },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (project) => (
        <span className="inline-flex items-center gap-1">
          <Link
            to="/console/calls"
            search={{ project_id: project.id }}
            className="px-2 text-[13px] text-accent hover:underline"
          >
            {t("calls.title")}
          </Link>
          {may && (
            <Button size="sm" kind="quiet" onClick={() => setOpen(project)}>
              {t("projects.change")}
            </Button>
          )}
        </span>
      ),
    },
  ];
  const close = () => setOpen(null);
  return (
    <>
      <PageHeader title={t("projects.title")} actions={newButton}>
        {t("projects.lead")}
      </PageHeader>
      <Table
        label={t("projects.title")}
        columns={columns}
        rows={projects.data?.data}
        rowKey={(project) => project.id}
        error={projects.error}
        onRetry={() => void projects.refetch()}
        empty={<Empty title={t("projects.none")} action={newButton} />}
      />
      {open === "create" && (
        <Dialog open onOpenChange={close} title={t("projects.create")}>
          <NameForm
            label={t("projects.name")}
            name=""
            busy={create.isPending}
            error={create.error}
            onSave={(name) => create.mutate(name, { onSuccess: close })}
          />
        </Dialog>
      )}
      {open !== null && open !== "create" && (
        <Dialog open onOpenChange={close} title={t("projects.change")}>
          <ProjectForm
            project={open}
            busy={change.isPending}
            error={change.error}
            onSave={(name, stores_responses) =>
              change.mutate({ id: open.id, name, stores_responses }, { onSuccess: close })
            }
          />
        </Dialog>
      )}
    </>
  );
}

function ProjectForm({
  project,
  busy,
  error,
  onSave,
}: {
  project: Project;
  busy: boolean;
  error: unknown;
  onSave: (name: string, stores: boolean) => void;
}) {
  const { t } = useTranslation();
  const [stores, setStores] = useState(project.stores_responses);
  return (
    <NameForm
      label={t("projects.name")}
      name={project.name}
      busy={busy}
      error={error}
      onSave={(name) => onSave(name, stores)}
    >
      <Switch label={t("projects.stores")} hint={t("projects.stores_text")} checked={stores} onChange={setStores} />
    </NameForm>
  );
}

export function NameForm({
  label,
  name: given,
  busy,
  error,
  onSave,
  children,
}: {
  label: string;
  name: string;
  busy: boolean;
  error: unknown;
  onSave: (name: string) => void;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  const [name, setName] = useState(given);
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) onSave(name.trim());
      }}
    >
      {error != null && <ErrorNote error={error} />}
      <Input label={label} required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      {children}
      <div>
        <Button type="submit" kind="primary" busy={busy} disabled={name.trim() === ""}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}
