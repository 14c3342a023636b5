/** Text of a repository's README.txt. */
export const README_TEXT = "TODO\n";
