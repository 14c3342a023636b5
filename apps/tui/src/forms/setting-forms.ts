// Forms of settings, for all, for a host or for a VM.
import { changeAct, quoted, type Scope } from "../app/acts.ts";
import { choice, type Form, type FormKind, input, read } from "./form.ts";

const WHERE = [
	choice("scope", "for", "cluster", ["cluster", "host", "VM"], "the narrowest counts"),
	input("name", "host or VM", "", "its name, where it is for one"),
];

/** Where a form means it, or what is missing. */
const scopeOf = (form: Form): Scope | string => {
	const [scope, name] = [read(form, "scope"), read(form, "name")];
	if (scope === "cluster") return {};
	if (name === "") return `name the ${scope}`;
	return scope === "host" ? { host: name } : { vm: name };
};

const flagsOf = (scope: Scope): string =>
	Object.entries(scope)
		.map(([one, of]) => ` --${one} ${quoted(of)}`)
		.join("");

/** Another value of a setting. */
export const settingForm: FormKind = {
	open: (state, { id }) => {
		const found = state.data.settings?.find((one) => one.name === id);
		const value = String(found?.value ?? "");
		return {
			title: `set ${id}`,
			notes: [`now ${value} ${found?.unit ?? ""}, from ${found?.source ?? "nowhere"}`],
			fields: [
				input("value", "value", value, found?.unit == null ? "" : `in ${found.unit}`),
				...WHERE,
			],
		};
	},
	act: (_, form) => {
		const value = read(form, "value");
		const scope = scopeOf(form);
		if (typeof scope === "string") return scope;
		const cli = `knib settings set ${form.target.id} ${quoted(value)}${flagsOf(scope)}`;
		const undo = `knib settings unset ${form.target.id}${flagsOf(scope)}`;
		const change = { call: "set", name: form.target.id, value, scope } as const;
		return changeAct(form.title, cli, change, { undo });
	},
};

/** A value taken away again. */
export const unsetSettingForm: FormKind = {
	open: (state, { id }) => {
		const found = state.data.settings?.find((one) => one.name === id);
		const now = `now ${String(found?.value ?? "")} ${found?.unit ?? ""}, from ${found?.source ?? "nowhere"}`;
		return { title: `unset ${id}`, notes: [now], fields: WHERE };
	},
	act: (_, form) => {
		const scope = scopeOf(form);
		if (typeof scope === "string") return scope;
		const name = form.target.id;
		const cli = `knib settings unset ${name}${flagsOf(scope)}`;
		return changeAct(form.title, cli, { call: "unset", name, scope });
	},
};
