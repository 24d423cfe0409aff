/** The fields of a form with files, as the example has them and as the reader adds more. */
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { Parameter } from "@/api/types";
import { IconButton } from "@/parts/button";
import { FileInput, Input, Select } from "@/parts/field";
import { Icon } from "@/parts/icons";

export interface FormField {
  name: string;
  /** A file's field has files, any other a text. */
  files: File[] | null;
  text: string;
  /** The example has it; what the reader added may be taken away again. */
  given: boolean;
}

/** What a form may have: the operation's body, and which of its members are files. */
export interface FormShape {
  parameters: readonly Parameter[];
  files: readonly string[];
}

/** Return the fields of an example, in which a file is written as `@speech.mp3`. */
export function fieldsOf(example: string): FormField[] {
  const members = JSON.parse(example) as Record<string, unknown>;
  return Object.entries(members).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.startsWith("@") ? { name, files: [], text: "", given: true } : { name, files: null, text, given: true };
  });
}

export const isMissing = (field: FormField): boolean => field.files?.length === 0;

/** Several files are sent as SDKs do, under the name with brackets. */
export function formOf(fields: readonly FormField[]): FormData {
  const form = new FormData();
  for (const { name, files, text } of fields)
    if (files === null) form.append(name, text);
    else for (const file of files) form.append(files.length > 1 ? `${name}[]` : name, file);
  return form;
}

export function FormFields({
  fields,
  shape,
  onChange,
}: {
  fields: readonly FormField[];
  shape: FormShape;
  onChange: (fields: FormField[]) => void;
}) {
  const { t } = useTranslation();
  const others = shape.parameters.filter((one) => fields.every((field) => field.name !== one.name));
  const set = (name: string, change: Partial<FormField>) =>
    onChange(fields.map((field) => (field.name === name ? { ...field, ...change } : field)));
  const add = (name: string) => {
    const parameter = others.find((one) => one.name === name);
    const files = shape.files.includes(name) ? [] : null;
    const text = parameter?.default || parameter?.enum[0] || "";
    onChange([...fields, { name, files, text, given: false }]);
  };
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="sr-only">{t("try.form")}</legend>
      {fields.map((field) => (
        <div key={field.name} className="flex items-end gap-1">
          <div className="min-w-0 flex-1">
            <Field
              field={field}
              parameter={shape.parameters.find((one) => one.name === field.name)}
              onChange={(change) => set(field.name, change)}
            />
          </div>
          {!field.given && (
            <IconButton
              label={t("try.remove_field", { name: field.name })}
              onClick={() => onChange(fields.filter((one) => one !== field))}
            >
              <Icon name="close" className="size-3.5" />
            </IconButton>
          )}
        </div>
      ))}
      {others.length > 0 && (
        <Select
          label={t("try.add_field")}
          bare
          className="text-soft"
          value=""
          options={[
            { value: "", label: t("try.add_field") },
            ...others.map((one) => ({ value: one.name, label: one.name })),
          ]}
          onChange={(event) => add(event.target.value)}
        />
      )}
    </fieldset>
  );
}

interface FieldProps {
  field: FormField;
  parameter: Parameter | undefined;
  onChange: (change: Partial<FormField>) => void;
}

function Field({ field, parameter, onChange }: FieldProps) {
  if (field.files !== null) {
    const sound = field.name === "file";
    return (
      <>
        <FileInput
          label={field.name}
          accept={sound ? "audio/*,video/*" : "image/*"}
          multiple={parameter?.type.includes("array") ?? false}
          files={field.files}
          onChange={(files) => onChange({ files })}
        />
        {field.files.length > 0 && (
          <ul className="mt-2 flex flex-wrap gap-2">
            {field.files.map((file) => (
              <li key={file.name} className="min-w-0">
                <Preview file={file} />
              </li>
            ))}
          </ul>
        )}
      </>
    );
  }
  if (parameter && parameter.enum.length > 0)
    return (
      <Select
        label={field.name}
        options={parameter.enum.map((value) => ({ value, label: value }))}
        value={field.text}
        onChange={(event) => onChange({ text: event.target.value })}
      />
    );
  return <Input label={field.name} value={field.text} onChange={(event) => onChange({ text: event.target.value })} />;
}

/** What was chosen, to see or to hear. */
function Preview({ file }: { file: File }) {
  const url = useMemo(() => URL.createObjectURL(file), [file]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  if (file.type.startsWith("image/"))
    return <img src={url} alt={file.name} className="max-h-24 max-w-full rounded-md border border-line" />;
  // eslint-disable-next-line jsx-a11y/media-has-caption -- a file of the reader's own
  return <audio src={url} controls aria-label={file.name} className="h-9 max-w-full" />;
}
