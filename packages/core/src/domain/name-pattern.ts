/** Whether a name fits a pattern as a whole and with its case: `*` stands for any text, `?` for one character. Takes time in proportion to both lengths, whatever the pattern. */
export const matchesName = (pattern: string, name: string): boolean => {
	const [wanted, given] = [[...pattern], [...name]];
	let at = 0;
	// Where the last star stands, and how far the text reaches that it is taken to stand for.
	let star = -1;
	let taken = 0;
	for (let read = 0; read < given.length; ) {
		if (wanted[at] === "*") {
			star = at;
			taken = read;
			at += 1;
		} else if (wanted[at] === "?" || wanted[at] === given[read]) {
			at += 1;
			read += 1;
		} else if (star >= 0) {
			taken += 1;
			read = taken;
			at = star + 1;
		} else return false;
	}
	return wanted.slice(at).every((character) => character === "*");
};
