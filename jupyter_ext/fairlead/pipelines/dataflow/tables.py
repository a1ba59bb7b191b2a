"""What is known of Python's and the common libraries' callables, by their last name.

A callable that no table names is taken to be careful: a function does not change its arguments, and
its result may be, or hold, any of them; a method may change its object.
"""

from __future__ import annotations

_words = str.split

CHANGES_FIRST = frozenset(
    _words(
        "random.shuffle heapq.heappush heapq.heappop heapq.heapify heapq.heapreplace"
        " heapq.heappushpop bisect.insort bisect.insort_left bisect.insort_right numpy.copyto"
        " numpy.put numpy.place numpy.putmask numpy.fill_diagonal numpy.put_along_axis"
        " numpy.random.shuffle builtins.setattr builtins.delattr builtins.next operator.setitem"
        " operator.delitem operator.iadd operator.isub operator.imul operator.ior operator.iand"
        " operator.iconcat json.dump pickle.dump torch.nn.utils.clip_grad_norm_ builtins.anext"
        " sklearn.utils.shuffle_"
    )
)
"""Functions that change their first argument."""

FRESH = frozenset(
    _words(
        "len sum abs round repr str int float bool bytes complex hash ord chr bin hex oct"
        " format all any isinstance issubclass callable divmod pow range id type print input"
        " deepcopy mean std var median accuracy_score precision_score recall_score f1_score"
        " roc_auc_score log_loss r2_score mean_squared_error mean_absolute_error"
        " root_mean_squared_error confusion_matrix classification_report roc_curve auc"
        " cross_val_score cross_validate zeros ones empty full arange linspace zeros_like"
        " ones_like empty_like full_like eye array copy concatenate stack vstack hstack where"
        " argmax argmin argsort unique bincount dot matmul exp log sqrt sin cos tanh percentile"
        " quantile read_csv read_parquet read_json read_excel loads load dumps default_rng time"
        " sleep perf_counter monotonic now today getcwd getenv exists join basename dirname"
        " abspath Path randint random choice uniform normal rand randn sample figure subplot"
        " title xlabel ylabel legend show savefig tight_layout getsizeof gcd prod max_ min_"
        " isnan isclose allclose array_equal norm inv det solve compile match search findall sub"
        " fullmatch getoutput system"
    )
)
"""Functions whose result neither is nor holds an argument."""

ELEMENTS_OF = frozenset(
    _words(
        "list dict set tuple frozenset sorted reversed enumerate zip map filter iter min max"
        " next chain islice cycle product permutations combinations"
        " combinations_with_replacement accumulate takewhile dropwhile starmap groupby pairwise"
        " batched zip_longest tee deque defaultdict Counter OrderedDict reduce copy"
        " nlargest nsmallest heappop heapreplace heappushpop anext"
    )
)
"""Functions whose result holds, or is one of, the elements of their arguments."""

LAZY = frozenset(
    _words(
        "builtins.enumerate builtins.zip builtins.map builtins.filter builtins.iter"
        " builtins.reversed"
    )
)
"""Functions whose result is consumed by use; it may travel, or not, by Python's version."""

UNFIT = {
    "builtins.open": "an open file",
    "io.open": "an open file",
    "gzip.open": "an open file",
    "tempfile.TemporaryFile": "an open file",
    "contextlib.ExitStack": "a stack of contexts",
    "contextlib.AsyncExitStack": "a stack of contexts",
    "tempfile.NamedTemporaryFile": "an open file",
    "codecs.open": "an open file",
    "bz2.open": "an open file",
    "lzma.open": "an open file",
    "zipfile.ZipFile": "an open file",
    "tarfile.open": "an open file",
    "os.popen": "an open file",
    "mmap.mmap": "an open file",
    "tempfile.SpooledTemporaryFile": "an open file",
    "tempfile.TemporaryDirectory": "a temporary folder that goes with its process",
    "threading.local": "a value of one thread",
    "threading.Barrier": "a lock",
    "threading.BoundedSemaphore": "a lock",
    "threading.Timer": "a thread",
    "multiprocessing.Process": "a running process",
    "multiprocessing.Manager": "a running process",
    "multiprocessing.Event": "a lock",
    "queue.LifoQueue": "a queue between threads",
    "queue.PriorityQueue": "a queue between threads",
    "queue.SimpleQueue": "a queue between threads",
    "asyncio.Event": "a lock",
    "asyncio.Semaphore": "a lock",
    "http.client.HTTPConnection": "a connection",
    "http.client.HTTPSConnection": "a connection",
    "smtplib.SMTP": "a connection",
    "csv.writer": "a writer of an open file",
    "csv.DictWriter": "a writer of an open file",
    "csv.DictReader": "an iterator over an open file",
    "threading.Lock": "a lock",
    "threading.RLock": "a lock",
    "threading.Condition": "a lock",
    "threading.Semaphore": "a lock",
    "threading.Event": "a lock",
    "threading.Thread": "a thread",
    "multiprocessing.Lock": "a lock",
    "multiprocessing.Queue": "a queue between processes",
    "multiprocessing.Pool": "a pool of processes",
    "queue.Queue": "a queue between threads",
    "concurrent.futures.ThreadPoolExecutor": "a pool of threads",
    "concurrent.futures.ProcessPoolExecutor": "a pool of processes",
    "socket.socket": "a socket",
    "socket.create_connection": "a socket",
    "sqlite3.connect": "a database connection",
    "psycopg2.connect": "a database connection",
    "pymysql.connect": "a database connection",
    "duckdb.connect": "a database connection",
    "sqlalchemy.create_engine": "a database connection",
    "subprocess.Popen": "a running process",
    "asyncio.Lock": "a lock",
    "asyncio.Queue": "a queue between tasks",
    "asyncio.create_task": "a running task",
    "weakref.ref": "a weak reference",
    "os.scandir": "an iterator",
    "csv.reader": "an iterator over an open file",
}
"""Callables whose result cannot leave its process."""

CURSORS = frozenset(_words("cursor execute executemany executescript begin connect"))
"""Methods of a connection whose result belongs to it."""

TIMELESS = frozenset(
    _words(
        "range len sum abs round min max sorted int float str bool list tuple dict set frozenset"
        " enumerate zip pow divmod isinstance reversed map filter any all complex bytes chr ord"
        " ValueError TypeError KeyError IndexError None True False"
    )
)
"""Builtins that always give the same."""

LIST_KINDS = {
    "builtins.list": "list",
    "builtins.dict": "dict",
    "builtins.set": "set",
    "builtins.tuple": "tuple",
    "builtins.sorted": "list",
    "collections.defaultdict": "dict",
    "collections.OrderedDict": "dict",
    "collections.Counter": "dict",
    "collections.deque": "list",
}

CHANGING = frozenset(
    _words(
        "append extend insert remove pop popitem clear sort reverse add discard update"
        " setdefault intersection_update difference_update symmetric_difference_update"
        " appendleft popleft extendleft rotate subtract move_to_end __setitem__ __delitem__"
        " __iadd__ __imul__ __ior__ __iand__ __isub__ __ixor__"
    )
)
"""Methods of Python's containers that change them; everything else of theirs does not."""

FITTING = frozenset(
    _words("fit partial_fit fit_transform fit_predict fit_resample train_on_batch warm_start")
)
"""Methods that change their object and what it was made with, and only look at their arguments."""

READING = frozenset(
    _words(
        # Python's own types
        "index count get keys values items copy join split rsplit splitlines strip lstrip"
        " rstrip replace lower upper title capitalize startswith endswith format encode decode"
        " find rfind zfill isdigit isalpha isalnum isspace union intersection difference"
        " symmetric_difference issubset issuperset isdisjoint hex group groups groupdict"
        " total_seconds isoformat strftime"
        # models
        " predict predict_proba predict_log_proba decision_function score score_samples"
        " transform inverse_transform get_params get_feature_names_out kneighbors staged_predict"
        " apply_ evaluate summary state_dict_ parameters_ named_parameters_"
        # arrays and tables
        " mean sum std var min max median mode prod cumsum cumprod argmin argmax argsort any all"
        " dot round astype reshape ravel flatten transpose squeeze view tolist item tobytes diff"
        " clip_ repeat nonzero trace swapaxes head tail describe info isna isnull notna notnull"
        " value_counts nunique unique groupby agg aggregate merge corr cov quantile to_numpy"
        " to_dict to_list to_frame to_csv to_parquet to_json to_string to_html to_excel"
        " to_pickle iterrows itertuples duplicated between isin str_ contains query eval_ loc_"
        " assign pivot pivot_table melt stack unstack explode nlargest nsmallest idxmax idxmin"
        " rolling expanding ewm resample shift pct_change rank sort_values sort_index"
        " reset_index set_index rename drop dropna fillna drop_duplicates reindex apply map"
        " applymap pipe where mask join select_dtypes sample filter equals plot hist boxplot"
        " memory_usage crosstab cut convert_dtypes infer_objects interpolate ffill bfill"
        " nlargest at_time"
        # tensors
        " to float double half long int bool type clone contiguous permute unsqueeze softmax"
        " sigmoid relu log exp sqrt abs norm matmul mm bmm eq ne gt lt ge le add sub mul div pow"
        " parameters named_parameters modules children state_dict requires_grad backward"
        # files and figures' looks
        " exists is_file is_dir read_text read_bytes with_suffix with_name as_posix resolve glob"
        " iterdir detach cpu numpy cuda to_device size numel"
    )
)
"""Methods that do not change their object (unless `inplace` says so)."""

VIEWING = frozenset(
    _words(
        "get values items keys reshape ravel transpose squeeze view swapaxes to_numpy head tail"
        " pipe apply map loc iloc at iat T detach numpy groupby iterrows itertuples groups group"
        " cpu flat data real imag resolve"
    )
)
"""Methods among `READING` whose result may share memory with, or be part of, their object."""

WRAPPING = frozenset(
    _words(
        "lru_cache cache wraps partial contextmanager asynccontextmanager njit jit vectorize"
        " singledispatch"
    )
)
"""Callables whose result, when called, calls what it was made from and keeps nothing visible."""

PLAIN_RESULTS = frozenset(
    _words(
        "len repr str int float bool bytes complex hash ord chr bin hex oct format all any"
        " isinstance issubclass callable id print input range slice hasattr breakpoint sleep"
        " perf_counter monotonic getcwd exists isfile isdir gettrace getsizeof"
    )
)
"""Functions whose result has no identity or parts."""

FRESH_LIBRARIES = frozenset(
    _words(
        "numpy pandas sklearn scipy matplotlib seaborn plotly math statistics json re os time"
        " datetime pathlib glob csv string textwrap urllib hashlib base64 platform decimal"
        " fractions uuid calendar shutil zlib pprint warnings logging random secrets sys ast"
        " inspect statsmodels xgboost lightgbm"
    )
)
"""Libraries whose functions give something new, unless `SHARING` names them."""

KEEPING_LIBRARIES = frozenset(_words("sklearn xgboost lightgbm imblearn"))
"""Libraries whose objects keep what they are made with."""

SHARING = frozenset(
    _words(
        "asarray asanyarray ascontiguousarray asfortranarray ravel reshape squeeze transpose"
        " atleast_1d atleast_2d atleast_3d broadcast_to broadcast_arrays diagonal split"
        " array_split hsplit vsplit dsplit swapaxes moveaxis rollaxis expand_dims flip fliplr"
        " flipud rot90 real imag frombuffer as_strided sliding_window_view require check_array"
        " check_X_y shuffle choice"
    )
)
"""Functions of these libraries whose result may share memory with an argument."""

SESSION_CALLS = frozenset(
    _words(
        "chdir putenv unsetenv filterwarnings simplefilter basicConfig setlocale"
        " set_printoptions set_option set_theme set_style set_context set_palette"
        " setrecursionlimit setcontext set_default_dtype set_num_threads set_config"
        " set_verbosity_error set_verbosity seterr setdefaulttimeout captureWarnings"
        " disable_eager_execution use_deterministic_algorithms reset_option"
    )
)
"""Functions that set how the whole process works from then on."""

SESSION_FUNCTIONS = frozenset(
    _words(
        "gc.disable gc.enable gc.freeze gc.set_threshold time.tzset signal.signal os.umask os.nice"
        " sys.setswitchinterval sys.settrace sys.setprofile locale.setlocale warnings.resetwarnings"
        " faulthandler.enable tracemalloc.start seaborn.set seaborn.reset_defaults"
        " matplotlib.pyplot.ion matplotlib.pyplot.ioff matplotlib.rcdefaults importlib.reload"
        " matplotlib.pyplot.rcdefaults torch.set_grad_enabled torch.set_default_device"
        " torch.set_printoptions pandas.option_reset logging.disable logging.addLevelName"
    )
)
"""More of them, by their whole name."""

SESSION_OBJECTS = frozenset({"logging.getLogger", "decimal.getcontext"})
"""Functions whose result belongs to the process."""

SETTING_METHODS = ("set", "add", "remove", "clear", "update", "prec")
"""Beginnings of the methods that change such an object."""

SESSION_PARTS = (
    "sys.path.",
    "os.environ.",
    "matplotlib.rc",
    "matplotlib.pyplot.rc",
    "matplotlib.style.",
    "matplotlib.pyplot.style.",
    "matplotlib.use",
    "pandas.options.",
)
"""Beginnings of dotted names whose calls do so, unless they only read."""

SESSION_READS = frozenset(
    _words("get keys items values copy index count available context rc_context")
)

SEEDING = frozenset(
    _words("seed manual_seed set_seed seed_everything set_random_seed manual_seed_all")
)
"""Functions that set the state of the global random generators."""

SEEDS = frozenset({"random_state", "seed", "rng", "generator"})
"""Keywords that give a callable its own random numbers."""

DRAWING_FUNCTIONS = frozenset(
    _words(
        "train_test_split resample make_classification make_regression make_blobs make_moons"
        " make_circles cross_val_score_ permutation_test_score shuffle sample_ randomized_svd"
    )
)
"""Functions that use the global random generators unless they are given a seed."""

DRAWING_METHODS = frozenset(
    _words("sample fit fit_transform fit_predict fit_resample partial_fit split rvs")
)
"""Methods that may use the global random generators."""

DETERMINISTIC = frozenset(
    _words(
        "LinearRegression Ridge Lasso ElasticNet LogisticRegression KNeighborsClassifier"
        " KNeighborsRegressor GaussianNB MultinomialNB BernoulliNB StandardScaler MinMaxScaler"
        " RobustScaler MaxAbsScaler Normalizer OneHotEncoder OrdinalEncoder LabelEncoder"
        " LabelBinarizer SimpleImputer ColumnTransformer CountVectorizer TfidfVectorizer"
        " TfidfTransformer PolynomialFeatures VarianceThreshold SelectKBest PCA SVC SVR"
        " LinearSVR NearestNeighbors LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis"
        " GaussianProcessRegressor IsotonicRegression DBSCAN AgglomerativeClustering"
    )
)
"""Classes that draw no random numbers as they come."""
