// Writing and reading the fields of a shared document.
import { canonicalJson } from "./canonical-json.ts";
import { HLC_START, type Hlc, laterHlc } from "./hybrid-clock.ts";
import { mergeRegisters } from "./merge.ts";
import { type Register, registerText, type SharedDocument } from "./replica-document.ts";

/** Who writes, when, and how it signs. `hlc` must be later than everything this host has written or seen. */
export type FieldWriter = {
	readonly host: string;
	readonly hlc: Hlc;
	readonly sign: (text: string) => string;
};

/** A value that lost against a concurrent one, and what it lost against. */
export type FieldConflict = {
	readonly field: string;
	readonly kept: Register;
	readonly lost: Register;
};

const seenBy = (registers: readonly Register[]): Record<string, Hlc> => {
	const seen = new Map<string, Hlc>();
	const note = (writer: string, hlc: Hlc): void => {
		seen.set(writer, laterHlc(seen.get(writer) ?? HLC_START, hlc));
	};
	for (const register of registers) {
		note(register.writer, register.hlc);
		for (const [writer, hlc] of Object.entries(register.seen)) note(writer, hlc);
	}
	return Object.fromEntries(seen);
};

/** The document with these fields written, each of them settling whatever conflict it had. */
export const writeFields = (
	document: SharedDocument,
	values: Readonly<Record<string, unknown>>,
	{ host, hlc, sign }: FieldWriter,
): SharedDocument => {
	const fields = new Map(Object.entries(document.fields));
	for (const [field, value] of Object.entries(values)) {
		const before = fields.get(field) ?? [];
		const unsigned = { value, hlc, writer: host, seen: seenBy(before) };
		const register = { ...unsigned, sig: sign(registerText(document, field, unsigned)) };
		fields.set(field, mergeRegisters([register, ...before]));
	}
	return { ...document, fields: Object.fromEntries(fields) };
};

/** What the document says: each field's winning value, without those taken away. */
export const sharedBody = (document: SharedDocument): Readonly<Record<string, unknown>> =>
	Object.fromEntries(
		Object.entries(document.fields).flatMap(([field, [winner]]) =>
			(winner?.value ?? null) === null ? [] : [[field, winner?.value]],
		),
	);

const byField = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
	a < b ? -1 : 1;

/** Every value that a concurrent, different one overruled and that nobody has settled; by field, so that all hosts say the same. */
export const sharedConflicts = (document: SharedDocument): readonly FieldConflict[] =>
	Object.entries(document.fields)
		.sort(byField)
		.flatMap(([field, [kept, ...others]]) =>
			kept === undefined
				? []
				: others
						.filter(({ value }) => canonicalJson(value) !== canonicalJson(kept.value))
						.map((lost) => ({ field, kept, lost })),
		);
