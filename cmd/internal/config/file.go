package config

// File is ntl.yaml: hosts, and the links that are wanted between them. Secrets
// are in it by reference alone. The JSON Schema is made of these types.
type File struct {
	Defaults FileDefaults          `json:"defaults,omitempty" jsonschema:"what hosts share that do not say otherwise"`
	HSMs     map[string]FileHSM    `json:"hsms" jsonschema:"the appliances, by a name of your own"`
	Clients  map[string]FileClient `json:"clients" jsonschema:"the client hosts, by a name of your own"`
	Groups   map[string]Words      `json:"groups,omitempty" jsonschema:"names of several clients at once"`
	Links    []FileLink            `json:"links" jsonschema:"the links that are wanted"`
}

// Words are one word or a list of words.
type Words []string

// FileDefaults are what hosts share.
type FileDefaults struct {
	Client     FileClientReach `json:"client,omitempty" jsonschema:"for every client"`
	HSM        FileReach       `json:"hsm,omitempty" jsonschema:"for every appliance"`
	Partitions Words           `json:"partitions,omitempty" jsonschema:"for every link that names none"`
}

// FileReach is how a host is reached.
type FileReach struct {
	User            string `json:"user,omitempty" jsonschema:"the login name"`
	Port            int    `json:"port,omitempty" jsonschema:"of SSH; 22 if nothing says otherwise"`
	IdentityFile    Words  `json:"identity_file,omitempty" jsonschema:"private key files"`
	PasswordFile    string `json:"password_file,omitempty" jsonschema:"a file that holds the password and nothing else"`
	PasswordEnv     string `json:"password_env,omitempty" jsonschema:"the name of an environment variable that holds the password"`
	PasswordCommand string `json:"password_command,omitempty" jsonschema:"a shell command whose first line of output is the password"`
	HostKey         string `json:"host_key,omitempty" jsonschema:"the fingerprint (SHA256:...) that the SSH host key must have"`
	JumpHost        string `json:"jump_host,omitempty" jsonschema:"[user@]host[:port] to go through; several in a row with commas; none for none"`
	LegacySSH       *bool  `json:"legacy_ssh,omitempty" jsonschema:"allow SSH algorithms that only old appliances need"`
}

// FileClientReach is how a client is reached, and what kind of host it is.
type FileClientReach struct {
	FileReach
	Kind             string `json:"kind,omitempty" jsonschema:"auto, netscaler, linux or windows"`
	ConfigPath       string `json:"config_path,omitempty" jsonschema:"the directory of Chrystoki.conf, where the login session does not tell (ChrystokiConfigurationPath)"`
	SudoPasswordFile string `json:"sudo_password_file,omitempty" jsonschema:"a file that holds the password for sudo and nothing else"`
}

// FileClient is a client host.
type FileClient struct {
	FileClientReach
	Host      string `json:"host" jsonschema:"[user@]host[:port], or local for the machine that ntl-setup runs on"`
	Address   string `json:"address,omitempty" jsonschema:"what the HSMs know it by, IP address or host name; also the certificate's CN (default: the host, if that is an IP address)"`
	Name      string `json:"name,omitempty" jsonschema:"its name on the HSMs (default: the address)"`
	Root      string `json:"root,omitempty" jsonschema:"a directory that stands for / there, for rehearsals"`
	MapHostIP string `json:"map_host_ip,omitempty" jsonschema:"the IP address that the HSMs are to take it from, if they know it by host name"`
}

// FileHSM is an appliance.
type FileHSM struct {
	FileReach
	Host        string `json:"host" jsonschema:"[user@]host[:port]"`
	Address     string `json:"address,omitempty" jsonschema:"what the clients reach it by (default: the host)"`
	Certificate string `json:"certificate,omitempty" jsonschema:"the fingerprint (SHA256:..., in hex) that its NTLS certificate must have"`
}

// FileLink is every client of a list with every HSM of a list.
type FileLink struct {
	Client    Words  `json:"client" jsonschema:"names of clients or of groups"`
	HSM       Words  `json:"hsm" jsonschema:"names of HSMs"`
	Partition Words  `json:"partition,omitempty" jsonschema:"names of partitions on each of these HSMs"`
	Name      string `json:"name,omitempty" jsonschema:"the client's name on these HSMs, if it differs from the client's own"`
}
