// What every form is made of, and how its fields are read. Pure.
import type { Act } from "../app/acts.ts";
import type { FormField, FormModal, FormPurpose, State, Target } from "../app/state.ts";

/** An open form. */
export type Form = FormModal;

/** What a form is about. Null where its target is gone. */
export type FormKind = {
	readonly open: (state: State, target: Target) => Pick<Form, "title" | "notes" | "fields"> | null;
	/** The act that it means, or what is wrong with it in words. */
	readonly act: (state: State, form: Form) => Act | string;
};
export type Forms = Readonly<Record<FormPurpose, FormKind>>;

/** A line of text. */
export const input = (name: string, label: string, value = "", help = ""): FormField => ({
	...{ name, label, value, help },
	kind: "text",
});
/** Yes or no. */
export const flag = (name: string, label: string, on = false, help = ""): FormField => ({
	...{ name, label, help },
	kind: "flag",
	value: on ? "yes" : "",
});
/** One of some words. */
export const choice = (
	name: string,
	label: string,
	value: string,
	options: readonly string[],
	help = "",
): FormField => ({ ...{ name, label, value, options, help }, kind: "choice" });

/** The text of a field. */
export const read = (form: Form, name: string): string =>
	form.fields.find((one) => one.name === name)?.value.trim() ?? "";
/** Whether a flag is set. */
export const isOn = (form: Form, name: string): boolean => read(form, name) !== "";
/** The words of a field, by blanks and commas. */
export const words = (form: Form, name: string): readonly string[] =>
	read(form, name)
		.split(/[\s,]+/)
		.filter((word) => word !== "");

/** The name of a VM as it is known. */
export const vmName = (state: State, id: string): string =>
	state.data.vms?.find((one) => one.uuid === id)?.name ?? id;
