/** Where the server extension is, under the Jupyter Server's base URL. */
export const BASE = 'fairlead/api/v1';
