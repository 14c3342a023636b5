// A host's id as people read and type it: eight groups of eight digits, each with a check digit after it.
const GROUP = 8;
const GROUPS = 8;

/** The check digit of hexadecimal digits (Luhn, modulo 16): it notices any wrong digit and nearly all exchanged neighbours. */
const checkDigit = (digits: string): string => {
	let sum = 0;
	for (const [at, digit] of [...digits].reverse().entries()) {
		const value = Number.parseInt(digit, 16) * (at % 2 === 0 ? 2 : 1);
		sum += Math.floor(value / 16) + (value % 16);
	}
	return ((16 - (sum % 16)) % 16).toString(16);
};

/** The id in groups with their check digits, such as `0123abcd5-…`. */
export const showHostId = (id: string): string =>
	Array.from({ length: GROUPS }, (_, at) => id.slice(at * GROUP, (at + 1) * GROUP))
		.map((group) => group + checkDigit(group))
		.join("-");

/** The id that such a text shows; undefined when it is none or a check digit is wrong. */
export const readHostId = (text: string): string | undefined => {
	const groups = text.trim().toLowerCase().split("-");
	if (groups.length !== GROUPS) return undefined;
	const digits = groups.map((group) => group.slice(0, GROUP));
	const isRight = groups.every((group, at) => {
		const own = digits[at] ?? "";
		return /^[0-9a-f]{9}$/.test(group) && group === own + checkDigit(own);
	});
	return isRight ? digits.join("") : undefined;
};
