/** Deeper values are refused: they come from nobody who means well. */
const DEEPEST = 32;

const write = (value: unknown, depth: number): string => {
	if (depth > DEEPEST) throw new TypeError("a value has too many levels");
	if (value === null || typeof value === "boolean" || typeof value === "string") {
		return JSON.stringify(value);
	}
	if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
	if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
	if (typeof value !== "object") throw new TypeError(`a ${typeof value} is not JSON`);
	const members = Object.entries(value)
		.filter(([, member]) => member !== undefined)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, member]) => `${JSON.stringify(name)}:${write(member, depth + 1)}`);
	return `{${members.join(",")}}`;
};

/** The one text of a JSON value: equal values give equal texts on every host. Throws TypeError on what is not JSON or nests deeper than 32 levels. */
export const canonicalJson = (value: unknown): string => write(value, 0);
