// Offerings: made, changed, copied. A change names only what differs from before.
import type { OfferingChanges, OfferingView } from "@knib/core";
import { changeAct, quoted } from "../app/acts.ts";
import type { FormField, State } from "../app/state.ts";
import { choice, type Form, type FormKind, flag, input, isOn, read } from "./form.ts";

const STEPS = ["wait_for_boot", "screenshot", "execute_command"] as const;
const LIBRARIES = ["zstd", "zlib"] as const;
const WHENS = ["after", "during"] as const;
const TRACKERS = ["overlay", "bitmap", "auto"] as const;
const CHOSEN = "-";

const repositoryName = (state: State, id: string | undefined): string =>
	state.data.repositories?.find((one) => one.id === id)?.name ?? CHOSEN;

const fieldsOf = (state: State, one: Partial<OfferingView>): readonly FormField[] => [
	input("description", "description", one.description ?? "", "a line for people"),
	input(
		"chainSize",
		"chain size",
		one.backupChainSize === undefined ? "" : String(one.backupChainSize),
		"backups in a chain; 1 always full, 0 endless, empty as the setting says",
	),
	flag("compress", "compress", one.compress ?? false, "after it is published, in the background"),
	choice("library", "  with", one.compressionLibrary ?? "zstd", LIBRARIES),
	choice(
		"when",
		"  when",
		one.compressWhen ?? "after",
		WHENS,
		"during: for write-once repositories",
	),
	flag("validate", "validate", one.validate ?? false, "prove each backup by booting it"),
	...STEPS.map((step) =>
		flag(step, `  ${step}`, (one.validationSteps ?? ["screenshot"]).includes(step)),
	),
	flag(
		"quick",
		"quick restore",
		one.allowQuickRestore ?? false,
		"VMs may start from the repository",
	),
	flag(
		"files",
		"extract files",
		one.allowExtractFile ?? false,
		"files may be taken out of backups",
	),
	choice("tracker", "tracker", one.tracker ?? "overlay", TRACKERS, "how changes are found"),
	choice(
		"repository",
		"repository",
		repositoryName(state, one.repository),
		[CHOSEN, ...(state.data.repositories ?? []).map(({ name }) => name)],
		"where its chains go; -: chosen for each chain",
	),
];

/** What the form says, or what is wrong with it. */
const saidBy = (form: Form): OfferingChanges | string => {
	const size = read(form, "chainSize");
	if (size !== "" && !/^-?\d{1,6}$/.test(size)) return "a chain size is a whole number";
	const steps = STEPS.filter((step) => isOn(form, step));
	if (isOn(form, "validate") && steps.length === 0) return "a validation needs a step";
	const repository = read(form, "repository");
	const one = <T extends string>(name: string, options: readonly T[]): T | undefined =>
		options.find((option) => option === read(form, name));
	return {
		description: read(form, "description"),
		backupChainSize: size === "" ? null : Number(size),
		compress: isOn(form, "compress"),
		compressionLibrary: one("library", LIBRARIES),
		compressWhen: one("when", WHENS),
		validate: isOn(form, "validate"),
		validationSteps: [...steps],
		allowQuickRestore: isOn(form, "quick"),
		allowExtractFile: isOn(form, "files"),
		tracker: one("tracker", TRACKERS),
		repository: repository === CHOSEN ? null : repository,
	};
};

const FLAGS: Readonly<Record<string, string>> = {
	description: "description",
	backupChainSize: "chain-size",
	compress: "compress",
	compressionLibrary: "compression-library",
	compressWhen: "compress-when",
	validate: "validate",
	validationSteps: "validation-steps",
	allowQuickRestore: "allow-quick-restore",
	allowExtractFile: "allow-extract-file",
	tracker: "tracker",
	repository: "repository",
};

const flagOf = ([field, value]: readonly [string, unknown]): string => {
	const name = FLAGS[field] ?? field;
	if (typeof value === "boolean") return value ? ` --${name}` : ` --no-${name}`;
	const text = value === null ? "none" : Array.isArray(value) ? value.join(",") : String(value);
	return ` --${name} ${quoted(text)}`;
};

/** The fields that differ. */
const differing = (said: OfferingChanges, before: OfferingChanges): OfferingChanges =>
	Object.fromEntries(
		Object.entries(said).filter(
			([field, value]) =>
				JSON.stringify(value) !==
				JSON.stringify(Object.entries(before).find(([name]) => name === field)?.[1]),
		),
	);

const beforeOf = (state: State, id: string): OfferingChanges => {
	const one: Partial<OfferingView> = state.data.offerings?.find((known) => known.id === id) ?? {};
	const fields = fieldsOf(state, one);
	const said = saidBy({
		...{ kind: "form", purpose: "offering-update", title: "", notes: [], index: 0, error: null },
		...{ target: { kind: "offering", id }, others: [], fields },
	});
	return typeof said === "string" ? {} : said;
};

const present = (changes: OfferingChanges) =>
	Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));

/** A new offering. */
export const createOfferingForm: FormKind = {
	open: (state) => ({
		title: "a new offering",
		notes: ["a named policy that VMs are assigned to"],
		fields: [input("name", "name", "", "unique"), ...fieldsOf(state, {})],
	}),
	act: (state, form) => {
		const name = read(form, "name");
		if (name === "") return "the offering needs a name";
		const said = saidBy(form);
		if (typeof said === "string") return said;
		const given = differing(said, beforeOf(state, ""));
		const cli = `knib offering create ${quoted(name)}${Object.entries(given).map(flagOf).join("")}`;
		const change = { call: "create-offering", name, fields: present(given) } as const;
		const undo = `knib offering delete ${quoted(name)}`;
		return changeAct(`create offering ${name}`, cli, change, { undo });
	},
};

/** Another policy for the VMs of an offering. */
export const updateOfferingForm: FormKind = {
	open: (state, { id }) => {
		const found = state.data.offerings?.find((one) => one.id === id);
		if (found === undefined) return null;
		return {
			title: `change offering ${found.name}`,
			notes: [
				`${found.vms} VMs are assigned to it`,
				"backups taken before are judged by what it was then",
			],
			fields: fieldsOf(state, found),
		};
	},
	act: (state, form) => {
		const said = saidBy(form);
		if (typeof said === "string") return said;
		const { id } = form.target;
		const name = state.data.offerings?.find((one) => one.id === id)?.name ?? id;
		const changes = differing(said, beforeOf(state, id));
		if (Object.keys(changes).length === 0) return "nothing is changed yet";
		const cli = `knib offering update ${quoted(name)}${Object.entries(changes).map(flagOf).join("")}`;
		return changeAct(form.title, cli, { call: "update-offering", offering: id, changes });
	},
};

/** A copy of an offering under another name. */
export const cloneOfferingForm: FormKind = {
	open: (state, { id }) => {
		const found = state.data.offerings?.find((one) => one.id === id);
		if (found === undefined) return null;
		const fields = [input("name", "name", `${found.name}-copy`)];
		return { title: `copy offering ${found.name}`, notes: [], fields };
	},
	act: (state, form) => {
		const { id } = form.target;
		const source = state.data.offerings?.find((one) => one.id === id)?.name ?? id;
		const name = read(form, "name");
		if (name === "") return "the copy needs a name";
		const cli = `knib offering clone ${quoted(source)} ${quoted(name)}`;
		return changeAct(`copy offering ${source} as ${name}`, cli, {
			...{ call: "clone-offering", offering: id, name },
		});
	},
};

/** A directory that backups go to. */
export const addRepositoryForm: FormKind = {
	open: () => ({
		title: "a repository more",
		notes: ["a directory, local or mounted; it is made when it is missing"],
		fields: [
			input("name", "name", "", "unique"),
			input("path", "path", "", "absolute"),
			flag("default", "default", false, "taken where neither offering nor selector names one"),
		],
	}),
	act: (_, form) => {
		const [name, path, isDefault] = [read(form, "name"), read(form, "path"), isOn(form, "default")];
		if (name === "") return "the repository needs a name";
		if (!path.startsWith("/")) return "a repository's path is absolute";
		const cli = `knib repository add ${quoted(name)} --path ${quoted(path)}${isDefault ? " --default" : ""}`;
		const change = { call: "add-repository", name, path, default: isDefault } as const;
		return changeAct(`add repository ${name}`, cli, change, {
			undo: `knib repository remove ${quoted(name)}`,
		});
	},
};
