/** The version that the log and the commands show. */
export const productVersion = 'Posthorn 0.1.0';
